// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "hsm/server_keys.h"
#include "hsm/token.h"
#include "server/api/management.h"
#include "server/app/monitoring.h"

namespace estia::app {

// What operators are told of the tokens.
[[nodiscard]] api::TokenStatus report_of(const SeenToken& seen, const ca::Snapshot& snapshot);
/// Empty: made in the token, never outside it, and for signatures only.
[[nodiscard]] std::vector<std::string> shortcomings_of(const hsm::KeyAttributes& key);
[[nodiscard]] api::ServerKeygenStatus report_of(const hsm::ServerKeysStatus& keys);

}  // namespace estia::app
