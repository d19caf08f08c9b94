// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/api/api_router.h"
#include "server/api/json.h"
#include "server/api/management.h"

namespace estia::api {

/// GET /v1/status, POST /v1/token/activate.
[[nodiscard]] std::vector<Route> status_routes(const Management& management);

/// `token` of GET /v1/status.
[[nodiscard]] Json token_json(const TokenStatus& token);

}  // namespace estia::api
