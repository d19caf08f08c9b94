// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "server/ca/configuration_store.h"
#include "server/provision/account_changes.h"

namespace estia::provision {

/// A run-time configuration somebody wants in force.
struct ApplyRequest {
  std::string document{};
  std::string source{};  ///< what messages call it, usually the file
  Passwords passwords{};
  std::string who{};                        ///< for the audit trail
  std::optional<std::uint64_t> replaces{};  ///< the version it was made from, if that must hold
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

/// What a document would change. The passwords of `needs` are not known here: whether they would
/// change an account is left open.
struct CheckReport {
  std::vector<NeededPassword> needs{};
  ApplyReport changes{};  ///< `version` is the one in force
  std::string diff{};     ///< of the canonical documents; empty when they are the same
};

/// What a running daemon adds to apply().
struct ApplyHooks {
  /// Before anything is stored; what it throws refuses the document.
  std::function<void(const ca::Snapshot&)> prepare{};
  /// Once the configuration is durable.
  std::function<void(std::shared_ptr<const ca::Snapshot>)> publish{};
};

/// Replaces the run-time configuration as a whole, in one transaction, or not at all (D6). Accounts
/// without a password keep their stored hash. Throws Error{config, ...}: what parse() and
/// changed_accounts() throw; Error{conflict, "config.version"}.
[[nodiscard]] ApplyReport apply(const ApplyRequest& request, ca::ConfigurationStore& store,
                                const Clock& clock, const ApplyHooks& hooks = {});

/// The same without changing anything and without passwords. Throws what parse() throws, and
/// Error{config, "config.account_password"}.
[[nodiscard]] CheckReport check(const std::string& document, const std::string& source,
                                const ca::ConfigurationStore& store);

/// The document in force, canonical, without passwords, and its version. Throws Error{config,
/// "config.none"} for a store that has none.
struct ExportedConfiguration {
  std::uint64_t version = 0;
  std::string document{};
};
[[nodiscard]] ExportedConfiguration export_configuration(const ca::ConfigurationStore& store);

}  // namespace estia::provision
