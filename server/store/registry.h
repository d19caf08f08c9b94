// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/clock.h"
#include "server/ca/registry.h"
#include "server/store/reader_pool.h"
#include "server/store/writer.h"

namespace estia::store {

/// The CA's memory in SQLite. Writes ride in the group commit; reads see committed rows.
class SqliteRegistry final : public ca::Registry {
 public:
  /// `boot_id` tells this process's intents from those an earlier one left open.
  SqliteRegistry(Writer& writer, ReaderPool& readers, const Clock& clock, Bytes boot_id)
      : writer_(writer), readers_(readers), clock_(clock), boot_id_(std::move(boot_id)) {}

  [[nodiscard]] ca::IntentOutcome intend(const ca::Intent& intent,
                                         const ca::AuditEvent& audit) override;
  [[nodiscard]] ca::IntentOutcome rehearse(const ca::Intent& intent) override;
  /// A certificate whose intent was revoked meanwhile is recorded like any other, and stays
  /// revoked.
  [[nodiscard]] Bytes commit(const Bytes& serial, const Bytes& certificate,
                             const ca::AuditEvent& audit) override;
  /// Also throws Error{internal, "registry.unknown_serial"}.
  void fail(const Bytes& serial, const ca::AuditEvent& audit) override;
  [[nodiscard]] std::optional<ca::CertificateRecord> find(const Bytes& serial) const override;
  [[nodiscard]] std::vector<ca::CertificateRecord> in_force(
      const ca::InForce& wanted) const override;
  [[nodiscard]] std::vector<ca::CertificateRecord> of_end_entity(std::string_view username,
                                                                 std::size_t limit) const override;
  [[nodiscard]] std::vector<ca::CertificateRecord> open_intents() const override;
  void revoke(const Bytes& serial, const ca::Revocation& revocation,
              const ca::AuditEvent& audit) override;
  void release(const Bytes& serial, const ca::AuditEvent& audit) override;

 private:
  [[nodiscard]] ca::IntentOutcome record(Transaction& transaction, const ca::Intent& intent,
                                         const ca::AuditEvent& audit) const;

  Writer& writer_;
  ReaderPool& readers_;
  const Clock& clock_;
  const Bytes boot_id_;
};

}  // namespace estia::store
