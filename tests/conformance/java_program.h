// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace estia::conformance {

/// The command line that runs a class of tests/support/java over Debian's Bouncy Castle. Throws
/// std::runtime_error that names the package where something of it is missing.
[[nodiscard]] std::vector<std::string> java_program(const std::string& main_class,
                                                    const std::vector<std::string>& arguments);

}  // namespace estia::conformance
