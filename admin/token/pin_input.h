// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "admin/token/token_place.h"
#include "crypto/base/secret.h"

namespace estia::admin {

// A PIN comes from a file of mode 0600, or is typed at the terminal, where it is not shown. Never
// from a command line, which every user of the machine can read. Once one was read, this process
// leaves no core dump.

/// One that exists already, asked once. `option` names the file's option, `whose` is "user's PIN".
/// Throws what read_pin_file throws, CLI::ValidationError where nobody can be asked,
/// Error{conflict, "cli.declined"} for Ctrl-C.
[[nodiscard]] Secret read_pin(const std::filesystem::path& file, const std::string& option,
                              const std::string& whose);

/// The user's PIN as it is: from --pin-file, else from the file that estiad reads it from, else
/// typed. Throws also Error{token, "token.pin_refused"} for estiad's where that very token has
/// refused it, and what Libp11Token throws: such a PIN is not tried again by itself.
[[nodiscard]] Secret read_user_pin(const std::filesystem::path& file, const TokenPlace& place);

/// A new one, typed twice. Throws also Error{config, "token.pin"} for two that differ, or that are
/// under 4 or over 255 bytes.
[[nodiscard]] Secret read_new_pin(const std::filesystem::path& file, const std::string& option,
                                  const std::string& whose);

/// Throws Error{config, "token.pin"} for one that no token should get: under 4 or over 255 bytes,
/// or with a blank at either end.
void check_pin(const Secret& pin);

/// Throws Error{config, "token.pin"} for equal ones; `why` ends the sentence.
void must_differ(const Secret& one, const Secret& other, const std::string& why);

}  // namespace estia::admin
