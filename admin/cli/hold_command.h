// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia hold`: a certificate counts as revoked until it is released.
struct HoldCommand {
  Target target{};
  std::string serial{};

  /// Adds the command to `estia`; parsing it runs it.
  static void add_to(CLI::App& estia);
};

}  // namespace estia::admin
