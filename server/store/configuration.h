// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/ca/configuration_store.h"
#include "server/store/reader_pool.h"
#include "server/store/writer.h"

namespace estia::store {

/// The configuration's versions in SQLite.
class SqliteConfigurationStore final : public ca::ConfigurationStore {
 public:
  SqliteConfigurationStore(Writer& writer, ReaderPool& readers)
      : writer_(writer), readers_(readers) {}

  [[nodiscard]] std::optional<ca::StoredConfiguration> load() const override;
  std::uint64_t replace(std::uint64_t replaces, const std::string& document,
                        const std::vector<ca::Account>& accounts,
                        const std::vector<std::string>& aliases,
                        const ca::AuditEvent& audit) override;
  void set_crl(const ca::StoredCrl& crl, const ca::AuditEvent& audit) override;

 private:
  Writer& writer_;
  ReaderPool& readers_;
};

}  // namespace estia::store
