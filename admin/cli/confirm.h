// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace estia::admin {

/// Asks "QUESTION [y/N]" on the terminal. Throws Error{conflict, "cli.declined"} for anything but y
/// or yes.
void ask(const std::string& question);

/// The same where an answer is needed: `yes` is one given beforehand (--yes). Throws also
/// CLI::ValidationError where there is nobody to ask.
void confirm(const std::string& question, bool yes);

}  // namespace estia::admin
