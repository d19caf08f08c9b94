// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia apply`: replaces the run-time configuration.
struct ApplyCommand {
  Target target{};
  std::filesystem::path file{};
  bool yes = false;
  bool dry_run = false;

  /// Adds the command to `estia`; parsing it runs it.
  static void add_to(CLI::App& estia, OpenOffline offline);
  void run(const OpenOffline& offline) const;
};

}  // namespace estia::admin
