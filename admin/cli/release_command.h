// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia release`: ends a hold.
struct ReleaseCommand {
  Target target{};
  std::string serial{};

  /// Adds the command to `estia`; parsing it runs it.
  static void add_to(CLI::App& estia);
};

}  // namespace estia::admin
