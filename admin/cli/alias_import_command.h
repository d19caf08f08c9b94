// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia alias import-ejbca`: EJBCA's aliases as tables for `estia apply`; changes nothing.
struct AliasImportCommand {
  Target target{};
  std::filesystem::path file{};
  std::vector<std::string> maps{};
  std::string ra_scope{};

  /// Adds the command to `estia alias`; parsing it runs it.
  static void add_to(CLI::App& alias);
  void run() const;
};

}  // namespace estia::admin
