// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/api/api_router.h"
#include "server/api/management.h"

namespace estia::api {

/// POST /v1/entities, .../list, .../show, .../enable, .../disable, /v1/codes, /v1/codes/remove.
/// Usernames stand in bodies: one may be a whole subject, which no path should hold.
[[nodiscard]] std::vector<Route> entities_routes(const Management& management);

}  // namespace estia::api
