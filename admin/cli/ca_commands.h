// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia ca list`: names, subjects and SHA-256, separated by tabs.
struct CaListCommand {
  Target target{};

  /// Adds the command to `estia ca`; parsing it runs it.
  static void add_to(CLI::App& ca);
  void run() const;
};

/// `estia ca show`: one CA's certificate, for people or for others' trust stores.
struct CaShowCommand {
  Target target{};
  std::string name{};
  bool pem = false;
  bool der = false;
  bool chain = false;

  static void add_to(CLI::App& ca);
  void run() const;
};

}  // namespace estia::admin
