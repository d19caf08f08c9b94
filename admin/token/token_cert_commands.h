// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "admin/token/token_choice.h"

namespace estia::admin {

/// `estia token cert store`: puts certificates beside the keys that they certify.
struct TokenCertStoreCommand {
  TokenChoice choice{};
  std::filesystem::path file{};
  std::filesystem::path pin_file{};
  std::string id{};
  std::string label{};

  /// Each adds its subcommand to `estia token cert`; parsing it runs it.
  static void add_to(CLI::App& cert, HoldState hold);
  void run() const;
};

/// `estia token cert list`.
struct TokenCertListCommand {
  TokenChoice choice{};
  std::filesystem::path pin_file{};
  bool json = false;

  static void add_to(CLI::App& cert, HoldState hold);
  void run() const;
};

}  // namespace estia::admin
