// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia tls show` and `estia tls reload`: the certificate that EST clients are shown.
struct TlsCommand {
  Target target{};

  /// Adds both to `estia tls`; parsing one runs it.
  static void add_to(CLI::App& tls);
};

}  // namespace estia::admin
