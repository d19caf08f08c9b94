// SPDX-License-Identifier: Apache-2.0
#include "server/store/claims.h"

#include "crypto/x509/name.h"
#include "server/ca/end_entity.h"

namespace estia::store {
namespace {

ca::Refused forbidden(std::string id, std::string detail) {
  return {.id = std::move(id),
          .reason = "this end entity cannot be served here",
          .code = ErrorCode::forbidden,
          .detail = std::move(detail)};
}

/// Nothing recorded (of before there were profiles) fits everything.
bool fits(const std::string& recorded, const std::string& wanted) {
  return recorded.empty() || recorded == wanted;
}

void create_end_entity(Transaction& transaction, const ca::Intent& intent, Instant now) {
  transaction
      .query(
          "INSERT INTO end_entity(username_key, username, ca, end_entity_profile, "
          "certificate_profile, subject, subject_key, san, created_at, created_by) "
          "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(ca::username_key(intent.username))
      .bind(intent.username)
      .bind(intent.ca)
      .bind(intent.entity.end_entity_profile)
      .bind(intent.profile)
      .bind(intent.entity.subject)
      .bind(intent.subject)
      .bind(intent.entity.san)
      .bind(now)
      .bind(intent.serial)
      .run();
}

/// Whether a registration authority may go on with an end entity that exists (a username alone must
/// not open what its names do not).
bool may_be_named(const ca::Intent& intent, ByteView subject, ByteView san) {
  return !intent.entity.within ||
         intent.entity.within(
             crypto::Name::from_der(subject),
             san.empty() ? crypto::GeneralNames() : crypto::GeneralNames::from_der(san));
}

std::string names_text(const Bytes& subject, const Bytes& san) {
  std::string text = crypto::Name::from_der(subject).text();
  if (!san.empty()) {
    const crypto::GeneralNames names = crypto::GeneralNames::from_der(san);
    for (const std::string& name : names.texts()) {
      text += " " + name;
    }
  }
  return text;
}

}  // namespace

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

bool insert_intent(Transaction& transaction, const ca::Intent& intent, const std::string& username,
                   Instant now, ByteView boot_id) {
  Query insert = transaction.query(
      "INSERT INTO certificate(serial, ca, alias, username, operation, profile, config_version, "
      "who, subject, subject_text, key_fingerprint, tbs, state, not_before, not_after, "
      "recorded_at, boot_id, single_active, retry_key, code_id) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'intended', ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(serial) DO NOTHING RETURNING 1");
  insert.bind(intent.serial)
      .bind(intent.ca)
      .bind(intent.alias)
      .bind(username)
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
      .bind(boot_id)
      .bind(std::int64_t{intent.uniqueness.single_active});
  for (const Bytes* optional : {&intent.retry_key, &intent.entity.code_id}) {
    if (optional->empty()) {
      insert.bind_null();
    } else {
      insert.bind(*optional);
    }
  }
  const bool inserted = insert.step();
  if (inserted) {
    insert.run();
  }
  return inserted;
}

EntityVerdict judge_end_entity(Transaction& transaction, const ca::Intent& intent) {
  if (intent.entity.rule == ca::EntityRule::none) {
    return {.username = intent.username};
  }
  Query row = transaction.query(
      "SELECT username, ca, end_entity_profile, certificate_profile, disabled, subject, san, "
      "created_by IS NULL AND subject <> x'3000' FROM end_entity WHERE username_key = ?");
  row.bind(ca::username_key(intent.username));
  if (!row.step()) {
    if (intent.entity.rule != ca::EntityRule::create) {
      return {.refused =
                  ca::Refused{"username.unknown", "there is no end entity of this name to renew"}};
    }
    return {.username = intent.username};
  }
  EntityVerdict verdict{.username = row.text(0), .known = true};
  if (row.text(1) != intent.ca) {
    verdict.refused = forbidden("entity.other_ca", verdict.username + " is of CA " + row.text(1));
  } else if (!fits(row.text(2), intent.entity.end_entity_profile) ||
             !fits(row.text(3), intent.profile)) {
    verdict.refused = forbidden("entity.other_profile", verdict.username + " has the profiles " +
                                                            row.text(2) + ", " + row.text(3));
  } else if (row.integer(4) != 0) {
    verdict.refused = forbidden("entity.disabled", verdict.username + " is disabled");
  } else if (!may_be_named(intent, row.blob(5), row.blob(6))) {
    verdict.refused = forbidden("entity.other_scope", verdict.username + " is named " +
                                                          names_text(row.blob(5), row.blob(6)));
  } else {
    const bool registered = row.integer(7) != 0;
    verdict.renamed = intent.entity.rule != ca::EntityRule::must_exist && !registered &&
                      (row.blob(5) != intent.entity.subject || row.blob(6) != intent.entity.san);
  }
  return verdict;
}

bool use_code(Transaction& transaction, const Bytes& code_id, Instant now) {
  Query update = transaction.query(
      "UPDATE enrollment_code SET uses_left = uses_left - 1 WHERE id = ? AND uses_left > 0 AND "
      "(expires_at IS NULL OR expires_at > ?) RETURNING 1");
  update.bind(code_id).bind(now);
  const bool used = update.step();
  if (used) {
    update.run();
  }
  return used;
}

bool holds_certificate(Transaction& transaction, const std::string& username, const std::string& ca,
                       Instant now) {
  Query row = transaction.query(
      "SELECT 1 FROM certificate WHERE username = ? AND ca = ? AND state <> 'failed' AND "
      "(revoked_at IS NULL OR revocation_reason = 6) AND not_after > ? LIMIT 1");
  row.bind(username).bind(ca).bind(now);
  return row.step();
}

void give_back_code(Transaction& transaction, ByteView code_id) {
  transaction.query("UPDATE enrollment_code SET uses_left = uses_left + 1 WHERE id = ?")
      .bind(code_id)
      .run();
}

void settle_end_entity(Transaction& transaction, const ca::Intent& intent,
                       const EntityVerdict& verdict, Instant now) {
  if (intent.entity.rule == ca::EntityRule::create && !verdict.known) {
    create_end_entity(transaction, intent, now);
  }
  if (verdict.renamed) {
    // Kept with the intent until it is issued: one that fails must leave no trace.
    transaction.query("UPDATE certificate SET new_subject = ?, new_san = ? WHERE serial = ?")
        .bind(intent.entity.subject)
        .bind(intent.entity.san)
        .bind(intent.serial)
        .run();
  }
}

void rename_end_entity(Transaction& transaction, ByteView serial, const ca::AuditEvent& audit) {
  std::string username;
  Bytes old_subject;
  Bytes old_san;
  Bytes subject;
  Bytes san;
  {
    Query row = transaction.query(
        "SELECT username, new_subject, new_san FROM certificate "
        "WHERE serial = ? AND new_subject IS NOT NULL");
    row.bind(serial);
    if (!row.step()) {
      return;
    }
    username = row.text(0);
    subject = row.blob(1);
    san = row.blob(2);
  }
  {
    // By its key: usernames as they are written have no index.
    Query row = transaction.query("SELECT subject, san FROM end_entity WHERE username_key = ?");
    row.bind(ca::username_key(username));
    if (!row.step()) {
      return;
    }
    old_subject = row.blob(0);
    old_san = row.blob(1);
  }
  transaction
      .query("UPDATE end_entity SET subject = ?, subject_key = ?, san = ? WHERE username_key = ?")
      .bind(subject)
      .bind(crypto::Name::from_der(subject).canonical())
      .bind(san)
      .bind(ca::username_key(username))
      .run();
  ca::AuditEvent changed = audit;
  changed.what = "entity.changed";
  changed.object = username;
  changed.detail = "old=" + names_text(old_subject, old_san) + " new=" + names_text(subject, san);
  transaction.audit(changed);
}

void release_end_entity(Transaction& transaction, ByteView serial, const std::string& username) {
  transaction
      .query(
          "UPDATE end_entity SET created_by = other.serial FROM (SELECT serial FROM certificate "
          "WHERE username = ?1 AND state <> 'failed' ORDER BY rowid LIMIT 1) AS other "
          "WHERE username_key = ?2 AND created_by = ?3")
      .bind(username)
      .bind(ca::username_key(username))
      .bind(serial)
      .run();
  transaction.query("DELETE FROM end_entity WHERE username_key = ? AND created_by = ?")
      .bind(ca::username_key(username))
      .bind(serial)
      .run();
}

}  // namespace estia::store
