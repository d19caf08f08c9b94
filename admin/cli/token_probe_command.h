// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia token probe`: lets the running estiad look at its token, and sign with each CA key.
struct TokenProbeCommand {
  Target target{};
  bool json = false;

  /// Adds the subcommand to `estia token`; parsing it runs it.
  static void add_to(CLI::App& token);
  /// Throws Error{token, "cli.probe"} when the login or a key failed, after it was printed.
  void run() const;
};

}  // namespace estia::admin
