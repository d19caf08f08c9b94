// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>

namespace estia::admin {

/// `estia config export`: the run-time configuration as a document that `estia apply` takes.
struct ConfigExportCommand {
  std::filesystem::path state{};

  /// Adds the command to `estia config`; parsing it runs it.
  static void add_to(CLI::App& config);
  void run() const;
};

}  // namespace estia::admin
