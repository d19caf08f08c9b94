// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>

#include "admin/token/token_choice.h"

namespace estia::admin {

/// `estia token pin set`: the security officer gives the user a PIN.
struct TokenPinSetCommand {
  TokenChoice choice{};
  std::filesystem::path so_pin_file{};
  std::filesystem::path new_pin_file{};

  /// Each adds its subcommand to `estia token pin`; parsing it runs it.
  static void add_to(CLI::App& pin, HoldState hold);
  void run() const;
};

/// `estia token pin change`: user or security officer changes the own PIN.
struct TokenPinChangeCommand {
  TokenChoice choice{};
  bool so = false;
  std::filesystem::path pin_file{};
  std::filesystem::path new_pin_file{};

  static void add_to(CLI::App& pin, HoldState hold);
  void run() const;
};

/// `estia token pin resume`: after one of both ended half-way, finds out which PIN the token has.
struct TokenPinResumeCommand {
  TokenChoice choice{};

  static void add_to(CLI::App& pin, HoldState hold);
  void run() const;
};

}  // namespace estia::admin
