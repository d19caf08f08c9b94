// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "admin/offline/open_state.h"
#include "server/provision/apply.h"

namespace estia::admin {

// What commands do on the state directory of a stopped estiad, in the name of whoever runs them.
// Each throws what its namesake in server/provision throws.
[[nodiscard]] provision::CheckReport check_configuration(OpenState& state,
                                                         const std::string& document,
                                                         const std::string& source);
/// request.who is filled in.
[[nodiscard]] provision::ApplyReport replace_configuration(OpenState& state,
                                                           provision::ApplyRequest request);
[[nodiscard]] std::string exported_configuration(OpenState& state);

struct ParsedRevocation {
  Bytes serial{};
  int reason = 0;
};
/// Throws CLI::ValidationError: nothing was tried.
[[nodiscard]] ParsedRevocation parse_revocation(const std::string& serial,
                                                const std::string& reason);
/// Returns the serial as it is recorded.
[[nodiscard]] std::string revoke_certificate(OpenState& state, const ParsedRevocation& wanted);

}  // namespace estia::admin
