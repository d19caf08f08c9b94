// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/api/api_router.h"
#include "server/api/json.h"
#include "server/api/management.h"

namespace estia::api {

/// POST /v1/token/activate, POST /v1/token/probe.
[[nodiscard]] std::vector<Route> token_routes(const Management& management);

/// `tokens` of GET /v1/status.
[[nodiscard]] Json tokens_json(const std::vector<TokenStatus>& tokens);

}  // namespace estia::api
