// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia code new`: an enrolment code, shown this once.
struct CodeNewCommand {
  Target target{};
  std::string username{};
  std::uint64_t uses = 1;
  std::uint64_t hours = 0;  ///< 0: until it is replaced
  std::filesystem::path file{};

  /// Adds the command to `estia code`; parsing it runs it.
  static void add_to(CLI::App& code);
  void run() const;
};

/// `estia code remove`: every code of an end entity.
struct CodeRemoveCommand {
  Target target{};
  std::string username{};

  static void add_to(CLI::App& code);
};

}  // namespace estia::admin
