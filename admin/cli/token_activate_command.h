// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "admin/cli/target.h"
#include "crypto/base/secret.h"

namespace estia::admin {

/// `estia token activate`: once more with the PIN, after the token refused it, or with one that an
/// operator brings.
struct TokenActivateCommand {
  Target target{};
  std::string token{};
  std::filesystem::path pin_file{};
  bool ask_pin = false;

  static void add_to(CLI::App& token);
  void run() const;

 private:
  [[nodiscard]] std::optional<Secret> pin() const;
};

}  // namespace estia::admin
