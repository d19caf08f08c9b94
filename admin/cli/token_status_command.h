// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia token status`: what the running estiad knows about its token.
struct TokenStatusCommand {
  Target target{};
  bool json = false;

  /// Adds the subcommand to `estia token`; parsing it runs it.
  static void add_to(CLI::App& token);
  void run() const;
};

}  // namespace estia::admin
