// SPDX-License-Identifier: Apache-2.0
#include "server/store/claims.h"

namespace estia::store {

std::optional<ca::IntentOutcome> answered_before(Transaction& transaction, const ca::Intent& intent,
                                                 Instant now) {
  if (intent.retry_key.empty()) {
    return std::nullopt;
  }
  Query row = transaction.query(
      "SELECT state = 'issued', serial, tbs, certificate, recorded_at FROM certificate "
      "WHERE rowid = (SELECT max(rowid) FROM certificate WHERE retry_key = ? AND "
      "state <> 'failed') AND revoked_at IS NULL");
  row.bind(intent.retry_key);
  if (!row.step()) {
    return std::nullopt;
  }
  const bool issued = row.integer(0) != 0;
  if (!issued) {
    return ca::Resume{.serial = row.blob(1), .tbs = row.blob(2)};
  }
  const bool on = intent.retry_window > std::chrono::seconds(0);
  if (on && now - row.instant(4) <= intent.retry_window) {
    return ca::AlreadyIssued{.serial = row.blob(1), .certificate = row.blob(3)};
  }
  return std::nullopt;
}

bool insert_intent(Transaction& transaction, const ca::Intent& intent, Instant now,
                   ByteView boot_id) {
  Query insert = transaction.query(
      "INSERT INTO certificate(serial, ca, alias, username, operation, profile, config_version, "
      "who, subject, subject_text, key_fingerprint, tbs, state, not_before, not_after, "
      "recorded_at, boot_id, retry_key) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'intended', ?, ?, ?, ?, ?) "
      "ON CONFLICT(serial) DO NOTHING RETURNING 1");
  insert.bind(intent.serial)
      .bind(intent.ca)
      .bind(intent.alias)
      .bind(intent.username)
      .bind(intent.operation)
      .bind(intent.profile)
      .bind(static_cast<std::int64_t>(intent.config_version))
      .bind(intent.who)
      .bind(intent.subject)
      .bind(intent.subject_text)
      .bind(intent.key_fingerprint)
      .bind(intent.tbs)
      .bind(intent.not_before)
      .bind(intent.not_after)
      .bind(now)
      .bind(boot_id);
  if (intent.retry_key.empty()) {
    insert.bind_null();
  } else {
    insert.bind(intent.retry_key);
  }
  const bool inserted = insert.step();
  if (inserted) {
    insert.run();
  }
  return inserted;
}

bool end_entity_exists(Transaction& transaction, const ca::Intent& intent) {
  Query row = transaction.query("SELECT 1 FROM end_entity WHERE username = ? AND ca = ?");
  row.bind(intent.username).bind(intent.ca);
  return row.step();
}

void claim_end_entity(Transaction& transaction, const ca::Intent& intent, Instant now) {
  if (intent.username.empty()) {
    return;
  }
  transaction
      .query(
          "INSERT INTO end_entity(username, ca, created_at, created_by) VALUES(?, ?, ?, ?) "
          "ON CONFLICT(username, ca) DO NOTHING")
      .bind(intent.username)
      .bind(intent.ca)
      .bind(now)
      .bind(intent.serial)
      .run();
}

void release_end_entity(Transaction& transaction, ByteView serial, const std::string& username,
                        const std::string& ca) {
  transaction
      .query(
          "UPDATE end_entity SET created_by = other.serial FROM (SELECT serial FROM certificate "
          "WHERE username = ?1 AND ca = ?2 AND state <> 'failed' ORDER BY rowid LIMIT 1) AS other "
          "WHERE username = ?1 AND ca = ?2 AND created_by = ?3")
      .bind(username)
      .bind(ca)
      .bind(serial)
      .run();
  transaction.query("DELETE FROM end_entity WHERE username = ? AND ca = ? AND created_by = ?")
      .bind(username)
      .bind(ca)
      .bind(serial)
      .run();
}

}  // namespace estia::store
