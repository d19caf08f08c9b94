// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "crypto/base/secret.h"

namespace estia::admin {

/// What a slot shows of its token.
struct TokenSummary {
  std::string label{};
  std::string serial{};
  std::string manufacturer{};
  std::string model{};
  bool initialised = false;
  bool user_pin_set = false;
};

/// Every token the module shows, initialised or not; `init_args` is what the module is initialised
/// with, usually nothing. Throws Error{config, "token.module"},
/// Error{token, "token.slots"}.
[[nodiscard]] std::vector<TokenSummary> list_tokens(const std::filesystem::path& module,
                                                    const std::string& init_args);

/// Initialises the first free token under `label`, sets its user PIN, and returns it. Everything
/// that can be refused is refused before C_InitToken, which erases: Error{config, "token.label"}
/// for a label that is empty, over 32 bytes or not printable; Error{config, "token.pin"} for a PIN
/// under 4 or over 255 bytes, or two equal ones; Error{conflict, "token.label_taken"} when any
/// token has it; Error{conflict, "token.none_free"} when every token is initialised. Then
/// Error{token, "token.init"}, and Error{token, "token.init_pin"} for a token left without a PIN.
///
/// With `erased_serial` it is that token, and everything in it is erased, keys among it; `so_pin`
/// is the one it has. Error{token, "token.not_found"} where there is none.
///
/// One thread, no other user of the module in this process or another (SoftHSM rewrites a token's
/// file at each login).
[[nodiscard]] TokenSummary initialise_token(const std::filesystem::path& module,
                                            const std::string& init_args, const std::string& label,
                                            const Secret& so_pin, const Secret& user_pin,
                                            const std::string& erased_serial = {});

}  // namespace estia::admin
