// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "hsm/server_keys.h"
#include "hsm/token.h"
#include "server/api/management.h"
#include "server/app/monitoring.h"

namespace estia::app {

// What operators are told of the tokens.
[[nodiscard]] api::TokenStatus report_of(const SeenToken& seen, const ca::Snapshot& snapshot);
[[nodiscard]] api::ServerKeygenStatus report_of(const hsm::ServerKeysStatus& keys);

}  // namespace estia::app
