// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/ca/decrypt_keys.h"
#include "server/store/reader_pool.h"
#include "server/store/writer.h"

namespace estia::store {

/// Decrypt keys in SQLite. Writes ride in the group commit; reads see committed rows.
class SqliteDecryptKeyStore final : public ca::DecryptKeyStore {
 public:
  SqliteDecryptKeyStore(Writer& writer, ReaderPool& readers) : writer_(writer), readers_(readers) {}

  [[nodiscard]] std::optional<ca::DecryptKey> find(const ca::DecryptKeyName& name) const override;
  [[nodiscard]] std::vector<ca::DecryptKey> list(const ca::DecryptKeyOwner& owner,
                                                 std::int64_t after,
                                                 std::size_t limit) const override;
  void add(const ca::DecryptKey& key, const ca::AuditEvent& audit) override;
  void remove(const ca::DecryptKeyName& name, const ca::AuditEvent& audit) override;

 private:
  Writer& writer_;
  ReaderPool& readers_;
};

/// Removes the keys of aliases that are not among these, and returns how many; part of the caller's
/// transaction.
std::size_t remove_decrypt_keys_of_other_aliases(Transaction& transaction,
                                                 const std::vector<std::string>& aliases);

}  // namespace estia::store
