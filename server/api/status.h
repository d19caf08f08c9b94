// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/api/api_router.h"
#include "server/api/management.h"

namespace estia::api {

/// GET /v1/status.
[[nodiscard]] std::vector<Route> status_routes(const Management& management);

}  // namespace estia::api
