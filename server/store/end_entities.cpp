// SPDX-License-Identifier: Apache-2.0
#include "server/store/end_entities.h"

#include "crypto/base/error.h"

namespace estia::store {
namespace {

constexpr const char* kFind =
    "SELECT username, ca, end_entity_profile, certificate_profile, subject, san, disabled, "
    "created_at FROM end_entity WHERE username_key = ?";
constexpr const char* kList =
    "SELECT username, ca, end_entity_profile, certificate_profile, subject, san, disabled, "
    "created_at FROM end_entity WHERE username_key > ? ORDER BY username_key LIMIT ?";

/// A row of kFind or kList.
ca::EndEntity entity_of(const Query& row) {
  const Bytes san = row.blob(5);
  return {.username = row.text(0),
          .ca = row.text(1),
          .end_entity_profile = row.text(2),
          .certificate_profile = row.text(3),
          .subject = crypto::Name::from_der(row.blob(4)),
          .san = san.empty() ? crypto::GeneralNames() : crypto::GeneralNames::from_der(san),
          .disabled = row.integer(6) != 0,
          .created_at = row.instant(7)};
}

void require_known(Transaction& transaction, const std::string& key) {
  Query row = transaction.query("SELECT 1 FROM end_entity WHERE username_key = ?");
  row.bind(key);
  if (!row.step()) {
    throw Error(ErrorCode::not_found, "entity.unknown", "this end entity is not registered", key);
  }
}

void delete_codes(Transaction& transaction, const std::string& key) {
  transaction.query("DELETE FROM enrollment_code WHERE username_key = ?").bind(key).run();
}

}  // namespace

std::optional<ca::EndEntity> SqliteEndEntityStore::find(std::string_view username) const {
  return readers_.read([&](Database& database) -> std::optional<ca::EndEntity> {
    Query row = database.query(kFind);
    row.bind(ca::username_key(username));
    return row.step() ? std::optional(entity_of(row)) : std::nullopt;
  });
}

std::vector<ca::EndEntity> SqliteEndEntityStore::list(std::string_view after,
                                                      std::size_t limit) const {
  return readers_.read([&](Database& database) {
    std::vector<ca::EndEntity> entities;
    Query rows = database.query(kList);
    rows.bind(ca::username_key(after)).bind(static_cast<std::int64_t>(limit));
    while (rows.step()) {
      entities.push_back(entity_of(rows));
    }
    return entities;
  });
}

void SqliteEndEntityStore::add(const ca::EndEntity& entity, const ca::AuditEvent& audit) {
  writer_.transact([&](Transaction& transaction) {
    Query insert = transaction.query(
        "INSERT INTO end_entity(username_key, username, ca, end_entity_profile, "
        "certificate_profile, subject, subject_key, san, disabled, created_at) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(username_key) DO NOTHING RETURNING 1");
    insert.bind(ca::username_key(entity.username))
        .bind(entity.username)
        .bind(entity.ca)
        .bind(entity.end_entity_profile)
        .bind(entity.certificate_profile)
        .bind(entity.subject.der())
        .bind(entity.subject.canonical())
        .bind(entity.san.der())
        .bind(std::int64_t{entity.disabled})
        .bind(entity.created_at);
    if (!insert.step()) {
      throw Error(ErrorCode::conflict, "entity.exists", "there is such an end entity already",
                  entity.username);
    }
    insert.run();
    transaction.audit(audit);
  });
}

void SqliteEndEntityStore::set_disabled(std::string_view username, bool disabled,
                                        const ca::AuditEvent& audit) {
  const std::string key = ca::username_key(username);
  writer_.transact([&](Transaction& transaction) {
    require_known(transaction, key);
    // Whom the operator took care of is no longer a by-product of its first intent.
    transaction
        .query("UPDATE end_entity SET disabled = ?, created_by = NULL WHERE username_key = ?")
        .bind(std::int64_t{disabled})
        .bind(key)
        .run();
    transaction.audit(audit);
  });
}

std::vector<ca::EnrollmentCode> SqliteEndEntityStore::codes(std::string_view username,
                                                            Instant now) const {
  return readers_.read([&](Database& database) {
    std::vector<ca::EnrollmentCode> codes;
    Query rows = database.query(
        "SELECT id, scheme, salt, digest, uses_left, expires_at FROM enrollment_code "
        "WHERE username_key = ? AND (expires_at IS NULL OR expires_at > ?)");
    rows.bind(ca::username_key(username)).bind(now);
    while (rows.step()) {
      ca::EnrollmentCode code{.id = rows.blob(0),
                              .hash = {rows.text(1), rows.blob(2), rows.blob(3)},
                              .uses_left = static_cast<int>(rows.integer(4))};
      if (!rows.is_null(5)) {
        code.expires_at = rows.instant(5);
      }
      codes.push_back(std::move(code));
    }
    return codes;
  });
}

void SqliteEndEntityStore::set_code(std::string_view username, const ca::EnrollmentCode& code,
                                    const ca::AuditEvent& audit) {
  const std::string key = ca::username_key(username);
  writer_.transact([&](Transaction& transaction) {
    require_known(transaction, key);
    delete_codes(transaction, key);
    // Its first intent may still fail: a row with a code must not go with it.
    transaction.query("UPDATE end_entity SET created_by = NULL WHERE username_key = ?")
        .bind(key)
        .run();
    Query insert = transaction.query(
        "INSERT INTO enrollment_code(id, username_key, scheme, salt, digest, uses_left, "
        "expires_at) "
        "VALUES(?, ?, ?, ?, ?, ?, ?)");
    insert.bind(code.id)
        .bind(key)
        .bind(code.hash.scheme)
        .bind(code.hash.salt)
        .bind(code.hash.digest)
        .bind(std::int64_t{code.uses_left});
    if (code.expires_at) {
      insert.bind(*code.expires_at);
    } else {
      insert.bind_null();
    }
    insert.run();
    transaction.audit(audit);
  });
}

void SqliteEndEntityStore::remove_codes(std::string_view username, const ca::AuditEvent& audit) {
  const std::string key = ca::username_key(username);
  writer_.transact([&](Transaction& transaction) {
    require_known(transaction, key);
    delete_codes(transaction, key);
    transaction.audit(audit);
  });
}

}  // namespace estia::store
