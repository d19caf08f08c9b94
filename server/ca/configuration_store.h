// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/ca/audit.h"
#include "server/ca/model.h"

namespace estia::ca {

/// A CRL that was verified when it came: its own signature, and its issuer's chain to the anchor.
struct StoredCrl {
  Bytes anchor{};  ///< SHA-256 of the trust anchor's certificate
  Bytes issuer{};  ///< canonical name; one CRL for each
  Bytes der{};
};

/// The run-time configuration as stored (D6): the document as the operator wrote it, and beside it
/// the hashes no document may hold.
struct StoredConfiguration {
  std::uint64_t version = 0;
  std::string document{};           ///< TOML
  std::vector<Account> accounts{};  ///< hashes; alias and user also stand in the document
  std::vector<StoredCrl> crls{};    ///< the newest of each issuer; they belong to no version
  std::vector<std::string> decrypt_key_aliases{};  ///< that have decrypt keys; likewise
};

/// Versions of the configuration; all kept. Durable when a call returns; any thread. Throws
/// Error{store, ...}.
class ConfigurationStore {
 public:
  virtual ~ConfigurationStore() = default;
  [[nodiscard]] virtual std::optional<StoredConfiguration> load()
      const = 0;  ///< the newest; nullopt in a fresh store
  /// One transaction with the audit event. `replaces` is the version the caller looked at (0 = none
  /// yet): if another came first, Error{conflict, "config.version"}. `aliases` are all of the
  /// document's: decrypt keys of others go. Returns the new version.
  virtual std::uint64_t replace(std::uint64_t replaces, const std::string& document,
                                const std::vector<Account>& accounts,
                                const std::vector<std::string>& aliases,
                                const AuditEvent& audit) = 0;
  /// Replaces the CRL of its issuer below its anchor; the configuration's version stays.
  virtual void set_crl(const StoredCrl& crl, const AuditEvent& audit) = 0;
};

}  // namespace estia::ca
