// SPDX-License-Identifier: Apache-2.0
#include "server/store/decrypt_keys.h"

#include <algorithm>

#include "crypto/base/error.h"
#include "server/ca/end_entity.h"

namespace estia::store {
namespace {

/// As rows name an owner: usernames as they are compared.
std::string key_of(const ca::DecryptKeyOwner& owner) {
  return owner.kind == ca::DecryptKeyOwner::Kind::alias ? owner.name : ca::username_key(owner.name);
}

ca::DecryptKeyKind kind_of(const std::string& text) {
  const auto kind = ca::decrypt_key_kind(text);
  if (!kind) {
    throw Error(ErrorCode::store, "store.corrupt", "the store is not available, try again later",
                "a decrypt key of an unknown kind");
  }
  return *kind;
}

/// A row of id, kind, identifier, value, created_at.
ca::DecryptKey read(const Query& row, const ca::DecryptKeyOwner& owner) {
  return {.id = row.integer(0),
          .name = {owner, kind_of(row.text(1)), row.blob(2)},
          .value = row.blob(3),
          .created_at = row.instant(4)};
}

/// The parameters of "owner_kind = ? AND owner = ? AND kind = ? AND identifier = ?".
void bind(Query& query, const ca::DecryptKeyName& name) {
  query.bind(to_string(name.owner.kind))
      .bind(key_of(name.owner))
      .bind(to_string(name.kind))
      .bind(name.identifier);
}

/// An end entity's first intent may still fail: its row must not go while it has a key.
void require_entity(Transaction& transaction, const std::string& key) {
  Query row = transaction.query(
      "UPDATE end_entity SET created_by = NULL WHERE username_key = ? RETURNING 1");
  row.bind(key);
  if (!row.step()) {
    throw Error(ErrorCode::not_found, "entity.unknown", "this end entity is not registered", key);
  }
  row.run();
}

}  // namespace

std::optional<ca::DecryptKey> SqliteDecryptKeyStore::find(const ca::DecryptKeyName& name) const {
  return readers_.read([&](Database& database) -> std::optional<ca::DecryptKey> {
    Query row = database.query(
        "SELECT id, kind, identifier, value, created_at FROM decrypt_key "
        "WHERE owner_kind = ? AND owner = ? AND kind = ? AND identifier = ?");
    bind(row, name);
    return row.step() ? std::optional(read(row, name.owner)) : std::nullopt;
  });
}

std::vector<ca::DecryptKey> SqliteDecryptKeyStore::list(const ca::DecryptKeyOwner& owner,
                                                        std::int64_t after,
                                                        std::size_t limit) const {
  return readers_.read([&](Database& database) {
    std::vector<ca::DecryptKey> keys;
    Query rows = database.query(
        "SELECT id, kind, identifier, value, created_at FROM decrypt_key "
        "WHERE owner_kind = ? AND owner = ? AND id > ? ORDER BY id LIMIT ?");
    rows.bind(to_string(owner.kind))
        .bind(key_of(owner))
        .bind(after)
        .bind(static_cast<std::int64_t>(limit));
    while (rows.step()) {
      keys.push_back(read(rows, owner));
    }
    return keys;
  });
}

void SqliteDecryptKeyStore::add(const ca::DecryptKey& key, const ca::AuditEvent& audit) {
  const ca::DecryptKeyName& name = key.name;
  writer_.transact([&](Transaction& transaction) {
    if (name.owner.kind == ca::DecryptKeyOwner::Kind::end_entity) {
      require_entity(transaction, key_of(name.owner));
    }
    Query insert = transaction.query(
        "INSERT INTO decrypt_key(owner_kind, owner, kind, identifier, value, created_at) "
        "VALUES(?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(owner_kind, owner, kind, identifier) DO NOTHING RETURNING 1");
    bind(insert, name);
    insert.bind(key.value).bind(key.created_at);
    if (!insert.step()) {
      throw Error(ErrorCode::conflict, "decrypt_key.exists",
                  "there is such a decrypt key already: remove it first", text_of(name));
    }
    insert.run();
    transaction.audit(audit);
  });
}

void SqliteDecryptKeyStore::remove(const ca::DecryptKeyName& name, const ca::AuditEvent& audit) {
  writer_.transact([&](Transaction& transaction) {
    Query removed = transaction.query(
        "DELETE FROM decrypt_key "
        "WHERE owner_kind = ? AND owner = ? AND kind = ? AND identifier = ? RETURNING 1");
    bind(removed, name);
    if (!removed.step()) {
      throw Error(ErrorCode::not_found, "decrypt_key.unknown", "there is no such decrypt key",
                  text_of(name));
    }
    removed.run();
    transaction.audit(audit);
  });
}

std::size_t remove_decrypt_keys_of_other_aliases(Transaction& transaction,
                                                 const std::vector<std::string>& aliases) {
  std::vector<std::string> gone;
  Query owners = transaction.query("SELECT DISTINCT owner FROM decrypt_key WHERE owner_kind = ?");
  owners.bind(to_string(ca::DecryptKeyOwner::Kind::alias));
  while (owners.step()) {
    if (std::string owner = owners.text(0); std::ranges::find(aliases, owner) == aliases.end()) {
      gone.push_back(std::move(owner));
    }
  }
  std::size_t removed = 0;
  for (const std::string& owner : gone) {
    Query rows =
        transaction.query("DELETE FROM decrypt_key WHERE owner_kind = ? AND owner = ? RETURNING 1");
    rows.bind(to_string(ca::DecryptKeyOwner::Kind::alias)).bind(owner);
    while (rows.step()) {
      ++removed;
    }
  }
  return removed;
}

}  // namespace estia::store
