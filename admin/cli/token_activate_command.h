// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "admin/cli/target.h"
#include "crypto/base/secret.h"

namespace estia::admin {

/// The same with the state directory of a stopped estiad, the token's name there (empty: the main
/// one) and whatever PIN is brought, which is asked for under its lock.
using ActivateStopped =
    std::function<void(const std::filesystem::path& state, const std::string& token,
                       const std::function<std::optional<Secret>()>& brought)>;

/// `estia token activate`: once more with the PIN, after the token refused it, or with one that an
/// operator brings.
struct TokenActivateCommand {
  Target target{};
  std::string token{};
  std::filesystem::path pin_file{};
  bool ask_pin = false;

  static void add_to(CLI::App& token, ActivateStopped stopped);
  void run(const ActivateStopped& stopped) const;

 private:
  [[nodiscard]] std::optional<Secret> pin() const;
};

}  // namespace estia::admin
