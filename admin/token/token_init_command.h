// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

namespace estia::admin {

/// `estia token init`: makes a free token of a module ours, or erases one and
/// makes it anew.
struct TokenInitCommand {
  std::filesystem::path module{};
  std::string module_args{};
  std::string label{};
  std::filesystem::path so_pin_file{};
  std::filesystem::path pin_file{};
  std::string erase{};  ///< serial of a token that has something in it
  bool yes = false;

  /// Adds the subcommand to `estia token`; parsing it runs it.
  static void add_to(CLI::App& token);
  void run() const;
};

}  // namespace estia::admin
