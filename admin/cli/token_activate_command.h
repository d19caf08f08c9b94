// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia token activate`: once more with the PIN, after the token refused it, or with one that an
/// operator brings.
struct TokenActivateCommand {
  Target target{};
  std::string token{};
  std::filesystem::path pin_file{};

  static void add_to(CLI::App& token);
  void run() const;
};

}  // namespace estia::admin
