// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace estia::admin {

/// Asks on the terminal, "QUESTION [y/N]"; `yes` is an answer given beforehand (--yes). Throws
/// CLI::ValidationError where there is nobody to ask, Error{conflict, "cli.declined"} for
/// anything but y or yes.
void confirm(const std::string& question, bool yes);

}  // namespace estia::admin
