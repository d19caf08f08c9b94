// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/api/api_router.h"
#include "server/api/management.h"

namespace estia::api {

/// POST /v1/decrypt-keys, /v1/decrypt-keys/list, /v1/decrypt-keys/remove.
[[nodiscard]] std::vector<Route> decrypt_keys_routes(const Management& management);

}  // namespace estia::api
