// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia entity add`: registers an end entity for client mode.
struct EntityAddCommand {
  Target target{};
  std::string username{};
  std::string ca{};
  std::string end_entity_profile{};
  std::string certificate_profile{};
  std::string subject{};
  std::vector<std::string> san{};

  /// Adds the command to `estia entity`; parsing it runs it.
  static void add_to(CLI::App& entity);
  void run() const;
};

/// `estia entity show`, `enable`, `disable`: one end entity by its username.
struct EntityCommand {
  Target target{};
  std::string username{};
  bool json = false;

  /// Adds all three to `estia entity`.
  static void add_to(CLI::App& entity);
  void run(const std::string& verb) const;
};

/// `estia entity list`: usernames, CAs and subjects, separated by tabs.
struct EntityListCommand {
  Target target{};
  bool json = false;

  static void add_to(CLI::App& entity);
  void run() const;
};

}  // namespace estia::admin
