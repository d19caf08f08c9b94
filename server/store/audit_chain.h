// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "crypto/base/bytes.h"
#include "server/ca/audit.h"
#include "server/store/database.h"

namespace estia::store {

/// Where a chain ends: the next row's predecessor.
struct AuditHead {
  std::int64_t sequence = 0;  ///< 0: no row yet
  Bytes hash;
};

/// One node's chain of audit rows: each row's hash is SHA-256 over all of its fields and the hash
/// of the row before it. Belongs to the write connection's thread.
class AuditChain final {
 public:
  /// Begins the chain of a new node, inside the caller's transaction.
  static void begin(Database& database, const std::string& node);
  /// Continues where the store ends. Throws Error{store, "store.audit_chain_broken"} when the node
  /// has no chain.
  AuditChain(Database& database, std::string node);

  /// Adds one row, inside the caller's transaction.
  void append(Database& database, const ca::AuditEvent& event);
  /// Records where the chain ends; before each commit that has new rows.
  void save_head(Database& database) const;

  [[nodiscard]] const AuditHead& head() const noexcept { return head_; }
  /// After a rollback.
  void restore(AuditHead head) { head_ = std::move(head); }

 private:
  std::string node_;
  AuditHead head_;
};

/// Recomputes every chain in one read transaction and returns the number of rows. Throws
/// Error{store, "store.audit_chain_broken"} that names node and sequence number.
[[nodiscard]] std::uint64_t verify_audit_chains(Database& database);

}  // namespace estia::store
