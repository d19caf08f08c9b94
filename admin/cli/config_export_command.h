// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia config export`: the run-time configuration as a document that `estia apply` takes.
struct ConfigExportCommand {
  Target target{};

  /// Adds the command to `estia config`; parsing it runs it.
  static void add_to(CLI::App& config, OpenOffline offline);
};

}  // namespace estia::admin
