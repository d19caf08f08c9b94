// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/api/api_router.h"
#include "server/api/management.h"

namespace estia::api {

/// POST /v1/explain: what would become of an EST request.
[[nodiscard]] std::vector<Route> explain_routes(const Management& management);

}  // namespace estia::api
