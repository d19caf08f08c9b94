// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>

namespace estia::admin {

/// `estia apply`: replaces the run-time configuration.
struct ApplyCommand {
  std::filesystem::path state{};
  std::filesystem::path file{};

  /// Adds the command to `estia`; parsing it runs it.
  static void add_to(CLI::App& estia);
  void run() const;
};

}  // namespace estia::admin
