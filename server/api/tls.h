// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/api/api_router.h"
#include "server/api/management.h"

namespace estia::api {

/// GET /v1/tls and POST /v1/tls/reload: the certificate that EST clients are shown.
[[nodiscard]] std::vector<Route> tls_routes(const Management& management);

}  // namespace estia::api
