// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia revoke`: ends a certificate's life.
struct RevokeCommand {
  Target target{};
  std::string serial{};
  std::string reason = "unspecified";

  /// Adds the command to `estia`; parsing it runs it.
  static void add_to(CLI::App& estia, OpenOffline offline);
};

}  // namespace estia::admin
