// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

namespace estia::admin {

/// `estia revoke`: ends a certificate's life.
struct RevokeCommand {
  std::filesystem::path state{};
  std::string serial{};
  std::string reason = "unspecified";

  /// Adds the command to `estia`; parsing it runs it.
  static void add_to(CLI::App& estia);
  void run() const;
};

}  // namespace estia::admin
