// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "admin/cli/management_client.h"

namespace estia::admin {

/// A JSON object for people: a line for each member, "name  value", members of members as
/// "store.queued", of members of a list as "codes.1.uses_left"; other lists with commas, nothing as
/// "-". Control characters are shown as "?": values may come from devices.
[[nodiscard]] std::string record_text(const Json& object);

/// These members on one line, separated by tabs.
[[nodiscard]] std::string row_text(const Json& object, const std::vector<std::string>& members);

}  // namespace estia::admin
