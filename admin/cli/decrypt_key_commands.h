// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "admin/cli/management_client.h"
#include "admin/cli/target.h"

namespace estia::admin {

/// --alias or --username: for whom a decrypt key is.
struct DecryptKeyOwnerOptions {
  std::string alias{};
  std::string username{};

  void add_to(CLI::App& app);
  /// The member of a request that says so.
  [[nodiscard]] Json json() const;
};

/// `estia decrypt-key add`: registers what a client opens the keys with that are made for it.
struct DecryptKeyAddCommand {
  Target target{};
  DecryptKeyOwnerOptions owner{};
  std::string identifier{};
  std::string key_file{};
  std::string certificate{};
  std::string password_file{};

  /// Adds the command to `estia decrypt-key`; parsing it runs it.
  static void add_to(CLI::App& decrypt_key);
  void run() const;
};

/// `estia decrypt-key list`: kinds and identifiers, never what is secret.
struct DecryptKeyListCommand {
  Target target{};
  DecryptKeyOwnerOptions owner{};
  bool json = false;

  static void add_to(CLI::App& decrypt_key);
  void run() const;
};

/// `estia decrypt-key remove`.
struct DecryptKeyRemoveCommand {
  Target target{};
  DecryptKeyOwnerOptions owner{};
  std::string kind{};
  std::string identifier{};

  static void add_to(CLI::App& decrypt_key);
  void run() const;
};

}  // namespace estia::admin
