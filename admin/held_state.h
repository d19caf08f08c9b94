// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "admin/token/token_place.h"

namespace estia::admin {

/// HoldState for the commands on a token: throws what OpenState throws.
[[nodiscard]] std::unique_ptr<HeldState> hold_state(const std::filesystem::path& state);

}  // namespace estia::admin
