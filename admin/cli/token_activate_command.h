// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia token activate`: once more with the PIN, after the token refused it.
struct TokenActivateCommand {
  Target target{};

  static void add_to(CLI::App& token);
  void run() const;
};

}  // namespace estia::admin
