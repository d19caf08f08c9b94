// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/secret.h"
#include "server/ca/model.h"
#include "server/provision/configuration_document.h"

namespace estia::provision {

/// By alias and user.
using Passwords = std::map<std::pair<std::string, std::string>, Secret>;

/// A password file that a document names. Whoever applies the document reads it, with the rights of
/// the user who asked for that.
struct NeededPassword {
  std::string alias{};
  std::string user{};
  std::string password_file{};  ///< as written
  bool generated = false;       ///< what the document says of it
};

[[nodiscard]] std::vector<NeededPassword> needed_passwords(
    const std::vector<AccountEntry>& accounts);

/// Relative files start at `directory`. Throws what read_secret_file throws.
[[nodiscard]] Passwords read_passwords(const std::vector<NeededPassword>& needed,
                                       const std::filesystem::path& directory);

/// The accounts as they would be stored, and what differs from those that are, as "account est/ra".
struct AccountChanges {
  std::vector<ca::Account> accounts{};
  std::vector<std::string> added{};
  std::vector<std::string> changed{};
  std::vector<std::string> removed{};
};

/// An account without a password keeps its stored hash. Throws Error{config, ...}:
/// "config.account_password" for a new account that has none, "config.password_missing" for a
/// password_file whose contents were not given, "config.password_unused" for a password of nobody,
/// "config.password_weak" for one that is too short or too simple for what it is said to be.
[[nodiscard]] AccountChanges changed_accounts(const std::vector<AccountEntry>& wanted,
                                              const Passwords& passwords,
                                              const std::vector<ca::Account>& stored);

/// The same, with every password_file taken as good: `accounts` stays empty.
[[nodiscard]] AccountChanges expected_account_changes(const std::vector<AccountEntry>& wanted,
                                                      const std::vector<ca::Account>& stored);

}  // namespace estia::provision
