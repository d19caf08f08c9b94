// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "admin/token/token_place.h"

namespace estia::admin {

/// The options by which a command is told its token: --state DIR and perhaps the token's name
/// there, or --module and --token.
class TokenChoice final {
 public:
  void add_to(CLI::App& command, HoldState hold);

  /// A token, and the state directory that it is of: null without --state.
  struct Taken {
    TokenPlace place{};
    std::unique_ptr<HeldState> state{};

    /// admin::audited, in the trail of the state directory, if there is one.
    void audited(const std::string& what, const std::vector<std::string>& details,
                 const std::function<void()>& order) const;
  };
  /// Throws CLI::ValidationError for too few options or too many, and what HoldState throws.
  [[nodiscard]] Taken take() const;

 private:
  HoldState hold_{};
  std::filesystem::path state_{};
  std::filesystem::path module_{};
  std::string module_args_{};
  std::string token_{};  ///< its label, or with --state its name there
  std::string serial_{};
};

/// For the help of commands that take a TokenChoice and write.
inline constexpr const char* kNobodyElse =
    "With --state it is refused while estiad runs. Without it, stop every program that uses the "
    "token\nfirst: SoftHSM loses objects and logins when two processes write.\n";

}  // namespace estia::admin
