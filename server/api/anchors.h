// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/api/api_router.h"
#include "server/api/management.h"

namespace estia::api {

/// GET /v1/anchors, POST /v1/anchors, /v1/anchors/inspect, /v1/anchors/NAME/remove,
/// /v1/anchors/NAME/crl.
[[nodiscard]] std::vector<Route> anchors_routes(const Management& management);

}  // namespace estia::api
