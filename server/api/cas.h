// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/api/api_router.h"
#include "server/api/management.h"

namespace estia::api {

/// GET /v1/cas, GET /v1/cas/NAME: our CAs' certificates, for others' trust stores.
[[nodiscard]] std::vector<Route> cas_routes(const Management& management);

}  // namespace estia::api
