// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "hsm/server_keys.h"
#include "hsm/token.h"
#include "server/api/management.h"

namespace estia::app {

// What operators are told of the token. `seen`: TokenProbe::look.
[[nodiscard]] api::TokenStatus report_of(const std::optional<hsm::TokenStatus>& seen);
[[nodiscard]] api::ServerKeygenStatus report_of(const hsm::ServerKeysStatus& keys);

}  // namespace estia::app
