// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>

namespace estia::admin {

/// `estia token list`: what tokens a module shows. Logs in nowhere.
struct TokenListCommand {
  std::filesystem::path module{};

  /// Adds the subcommand to `estia token`; parsing it runs it.
  static void add_to(CLI::App& token);
  void run() const;
};

}  // namespace estia::admin
