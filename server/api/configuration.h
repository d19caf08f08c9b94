// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/api/api_router.h"
#include "server/api/json.h"
#include "server/api/management.h"

namespace estia::api {

/// GET and PUT /v1/configuration, POST /v1/configuration/check.
[[nodiscard]] std::vector<Route> configuration_routes(const Management& management);

/// What a change of it did: version, added, changed, removed, warnings.
[[nodiscard]] Json changes_json(const provision::ApplyReport& report);

}  // namespace estia::api
