// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/ca/end_entity.h"
#include "server/store/reader_pool.h"
#include "server/store/writer.h"

namespace estia::store {

/// End entities and enrolment codes in SQLite. Writes ride in the group commit; reads see committed
/// rows.
class SqliteEndEntityStore final : public ca::EndEntityStore {
 public:
  SqliteEndEntityStore(Writer& writer, ReaderPool& readers) : writer_(writer), readers_(readers) {}

  [[nodiscard]] std::optional<ca::EndEntity> find(std::string_view username) const override;
  [[nodiscard]] std::vector<ca::EndEntity> list(std::string_view after,
                                                std::size_t limit) const override;
  void add(const ca::EndEntity& entity, const ca::AuditEvent& audit) override;
  void set_disabled(std::string_view username, bool disabled, const ca::AuditEvent& audit) override;
  [[nodiscard]] std::vector<ca::EnrollmentCode> codes(std::string_view username,
                                                      Instant now) const override;
  void set_code(std::string_view username, const ca::EnrollmentCode& code,
                const ca::AuditEvent& audit) override;
  void remove_codes(std::string_view username, const ca::AuditEvent& audit) override;

 private:
  Writer& writer_;
  ReaderPool& readers_;
};

}  // namespace estia::store
