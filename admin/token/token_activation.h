// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "admin/token/token_place.h"
#include "crypto/base/secret.h"

namespace estia::admin {

/// `estia token activate` while estiad is stopped: one login with the PIN as estiad is to have it,
/// by an operator's order, with the state directory locked. On success the note of a PIN that was
/// refused is gone; a refusal is noted. `brought` is the PIN of a token of whose PIN estiad has no
/// file. Throws what HoldState and hsm::try_pin throw, Error{conflict, "token.name_needed"} for no
/// name where there are several, Error{conflict, "token.pin_not_taken"}, CLI::RequiredError.
void activate_stopped(const HoldState& hold, const std::filesystem::path& state,
                      const std::string& token,
                      const std::function<std::optional<Secret>()>& brought);

}  // namespace estia::admin
