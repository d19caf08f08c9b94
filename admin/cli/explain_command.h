// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia explain`: what would become of a device's request, and which rule refuses it.
struct ExplainCommand {
  Target target{};
  std::filesystem::path csr{};
  std::string alias = "est";
  std::string operation = "simpleenroll";
  std::filesystem::path certificates{};
  std::string accept{};
  std::string user{};
  std::filesystem::path password_file{};
  bool json = false;

  /// Adds the command to `estia`; parsing it runs it.
  static void add_to(CLI::App& estia);
  void run() const;
};

}  // namespace estia::admin
