// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia config diff`: what applying a document would change in the configuration in force.
struct ConfigDiffCommand {
  Target target{};
  std::filesystem::path file{};

  /// Adds the command to `estia config`; parsing it runs it.
  static void add_to(CLI::App& config, OpenOffline offline);
  void run(const OpenOffline& offline) const;
};

}  // namespace estia::admin
