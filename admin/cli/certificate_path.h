// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "admin/cli/management_client.h"

namespace estia::admin {

/// "/certificates/4f:2a". Throws CLI::ValidationError for what cannot be a serial number.
[[nodiscard]] std::string certificate_path(const std::string& serial);

/// POST of `what` ("revoke", "hold", "release"); the record as it is afterwards. A serial or reason
/// that estiad does not take is CLI::ValidationError: nothing was tried.
Json change_certificate(ManagementClient& client, const std::string& serial,
                        const std::string& what, const Json& body);

}  // namespace estia::admin
