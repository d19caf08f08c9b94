// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace estia::admin {

/// `estia token list`: modules, their slots, and the tokens in them. Logs in nowhere.
struct TokenListCommand {
  std::vector<std::filesystem::path> modules{};
  std::string module_args{};
  bool json = false;

  /// Adds the subcommand to `estia token`; parsing it runs it.
  static void add_to(CLI::App& token);
  /// Throws Error{config, "token.module"} for a module that was named and cannot be used, after the
  /// others were printed.
  void run() const;
};

}  // namespace estia::admin
