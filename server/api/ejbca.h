// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/api/api_router.h"
#include "server/api/management.h"

namespace estia::api {

/// POST /v1/ejbca-import: what EJBCA's aliases would be here. Nothing is changed.
[[nodiscard]] std::vector<Route> ejbca_routes(const Management& management);

}  // namespace estia::api
