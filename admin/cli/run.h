// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace estia::admin {

/// Parses the command line, which runs the command, and tells what went wrong on standard error as
/// "estia: error: ...". The only place where errors become exit statuses: 0 done, 1 failed, 2
/// misused.
[[nodiscard]] int run(CLI::App& app, int argc, const char* const* argv);

}  // namespace estia::admin
