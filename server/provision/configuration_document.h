// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/ca/configuration_store.h"
#include "server/ca/model.h"

namespace estia::provision {

/// An account as the document names it. Where its password is read from counts only while the
/// document is applied (D6) and is never stored.
struct AccountEntry {
  std::string alias{};
  std::string user{};
  std::optional<std::string> password_file{};
  bool generated = false;  ///< what is in it has 128 random bits or more
  std::string place{};     ///< "accounts.toml:12: account[1]", for messages
};

/// The run-time configuration as written: checked, every reference resolved, without passwords.
struct ParsedConfiguration {
  ca::Snapshot contents{};  ///< version 0 and no accounts
  std::vector<AccountEntry> accounts{};
  std::vector<std::string> warnings{};  ///< lawful, but hardly meant
};

/// TOML to configuration. `source` is what messages call it, usually the file. Throws Error{config,
/// ...} with source, line, key and reason; docs/messages.md lists the ids.
[[nodiscard]] ParsedConfiguration parse(std::string_view text, const std::string& source);

/// The canonical document: parse(print(x)) gives x again. Holds no password and no password_file.
[[nodiscard]] std::string print(const ParsedConfiguration& configuration);

/// One object of it, as print writes it: two are the same if their texts are.
[[nodiscard]] std::string print(const ca::CertificationAuthority& ca);
[[nodiscard]] std::string print(const ca::EndEntityProfile& profile);
[[nodiscard]] std::string print(const ca::CertificateProfile& profile);
[[nodiscard]] std::string print(const ca::TrustAnchor& anchor);
[[nodiscard]] std::string print(const ca::Alias& alias);

/// What the server works with: the stored document and the stored hashes together. Throws
/// Error{config, ...} as parse does, and Error{internal, "config.stored_accounts"} when hashes and
/// document do not fit together.
[[nodiscard]] std::shared_ptr<const ca::Snapshot> build_snapshot(
    const ca::StoredConfiguration& stored);

}  // namespace estia::provision
