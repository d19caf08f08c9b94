// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "server/ca/configuration_store.h"

namespace estia::provision {

/// A run-time configuration somebody wants in force.
struct ApplyRequest {
  std::string document{};
  std::string source{};               ///< what messages call it, usually the file
  std::filesystem::path directory{};  ///< what a relative password_file is relative to
  std::string who{};                  ///< for the audit trail
};

/// What changed, as "alias est", "account est/ra" and so on.
struct ApplyReport {
  std::uint64_t version = 0;  ///< in force now; unchanged if nothing differs
  std::vector<std::string> added{};
  std::vector<std::string> changed{};
  std::vector<std::string> removed{};
  std::vector<std::string> warnings{};

  [[nodiscard]] bool anything() const noexcept {
    return !added.empty() || !changed.empty() || !removed.empty();
  }
};

/// Replaces the run-time configuration as a whole, in one transaction, or not at all (D6). Accounts
/// without password_file keep their stored hash. Throws Error{config, ...}: what parse() throws,
/// "config.account_password" for a new account without password_file, "config.password_weak" for a
/// password that was not generated, what read_secret_file throws; Error{conflict,
/// "config.version"}.
[[nodiscard]] ApplyReport apply(const ApplyRequest& request, ca::ConfigurationStore& store,
                                const Clock& clock);

/// The document in force, canonical, without passwords. Throws Error{config, "config.none"} for a
/// store that has none.
[[nodiscard]] std::string export_configuration(const ca::ConfigurationStore& store);

}  // namespace estia::provision
