// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia cert show`: what is recorded about a certificate, and the certificate.
struct CertShowCommand {
  Target target{};
  std::string serial{};
  bool json = false;

  /// Adds the command to `estia cert`; parsing it runs it.
  static void add_to(CLI::App& cert);
  void run() const;
};

}  // namespace estia::admin
