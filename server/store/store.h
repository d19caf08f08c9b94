// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "crypto/base/clock.h"
#include "server/ca/audit.h"
#include "server/ca/configuration_store.h"
#include "server/ca/decrypt_keys.h"
#include "server/ca/end_entity.h"
#include "server/ca/registry.h"

namespace estia::store {

struct StoreOptions {
  std::size_t queue_limit = 4096;  ///< writes waiting for a commit; more are refused as busy
  std::size_t readers = 8;         ///< connections for reading
  int checkpoint_pages = 1000;     ///< the log is moved into the database when it has so many
};

/// Since the store was opened; for metrics.
struct StoreStats {
  std::uint64_t commits = 0;      ///< batches on disk, one sync each
  std::uint64_t jobs = 0;         ///< writes in them
  std::uint64_t failures = 0;     ///< batches lost
  std::uint64_t checkpoints = 0;  ///< times the log was moved into the database
  std::size_t queued = 0;         ///< writes waiting now
  bool failed = false;            ///< an input/output error: nothing is written until reopened
};

/// The CA's memory: one SQLite file (and `-wal`, `-shm`, `-lock` beside it), one writer with group
/// commit, a few readers. One process opens it at a time (D1). The references it gives live as long
/// as it does; they, and every const call here, may be used from any thread.
class Store final {
 public:
  /// A new store (0600); `clock` must outlive it. Throws Error{conflict, "store.exists"},
  /// Error{config, "store.node_name" | "store.missing"} (no such folder), Error{store,
  /// "store.locked" | "store.io"}.
  [[nodiscard]] static std::unique_ptr<Store> create(const std::filesystem::path& path,
                                                     const std::string& node_name,
                                                     const Clock& clock,
                                                     const StoreOptions& options = {});

  /// An existing store, checked from end to end before anything relies on it. Throws Error{config,
  /// "store.missing" | "store.unsafe_file" | "store.not_a_store" | "store.newer_schema"},
  /// Error{store, "store.locked" | "store.corrupt" | "store.unsafe_settings" |
  /// "store.audit_chain_broken"}; the last names node and sequence number.
  [[nodiscard]] static std::unique_ptr<Store> open(const std::filesystem::path& path,
                                                   const Clock& clock,
                                                   const StoreOptions& options = {});

  /// Finishes the writes that wait. No call may be running.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  Store(Store&&) = delete;
  Store& operator=(Store&&) = delete;

  [[nodiscard]] ca::Registry& registry() noexcept;
  [[nodiscard]] ca::AuditLog& audit_log() noexcept;
  [[nodiscard]] ca::ConfigurationStore& configuration() noexcept;
  [[nodiscard]] ca::EndEntityStore& end_entities() noexcept;
  [[nodiscard]] ca::DecryptKeyStore& decrypt_keys() noexcept;

  /// The name of this node's audit chain.
  [[nodiscard]] const std::string& node() const noexcept;
  /// Recomputes every chain and returns the number of rows. Throws Error{store,
  /// "store.audit_chain_broken"}.
  [[nodiscard]] std::uint64_t verify_audit_chain() const;
  [[nodiscard]] StoreStats stats() const;

 private:
  struct Parts;
  explicit Store(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace estia::store
