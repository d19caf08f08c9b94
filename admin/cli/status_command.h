// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia status`: what the running estiad tells about itself.
struct StatusCommand {
  Target target{};
  bool json = false;

  /// Adds the command to `estia`; parsing it runs it.
  static void add_to(CLI::App& estia);
  void run() const;
};

}  // namespace estia::admin
