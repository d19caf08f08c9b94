// SPDX-License-Identifier: Apache-2.0
#include "server/store/uniqueness.h"

#include <vector>

#include "crypto/keys/digest.h"
#include "crypto/x509/name.h"
#include "server/ca/end_entity.h"
#include "server/ca/model.h"

namespace estia::store {
namespace {

/// What is compared, with its statements: whether this end entity has it, and who has it at all.
struct Subject {
  static constexpr const char* kKind = "subject";
  static constexpr const char* kOwn =
      "SELECT 1 FROM certificate WHERE ca = ? AND subject = ? AND username = ? AND "
      "state <> 'failed' LIMIT 1";
  static constexpr const char* kAny =
      "SELECT username FROM certificate WHERE ca = ? AND subject = ? AND state <> 'failed' LIMIT 1";
};
struct Key {
  static constexpr const char* kKind = "key";
  static constexpr const char* kOwn =
      "SELECT 1 FROM certificate WHERE ca = ? AND key_fingerprint = ? AND username = ? AND "
      "state <> 'failed' LIMIT 1";
  static constexpr const char* kAny =
      "SELECT username FROM certificate WHERE ca = ? AND key_fingerprint = ? AND "
      "state <> 'failed' LIMIT 1";
};

/// One CA's holders of one subject or key. Nobody else compares them until the transaction ends.
template <class Kind>
class Holders final {
 public:
  Holders(Transaction& transaction, const std::string& ca, ByteView value, Instant now)
      : transaction_(transaction), ca_(ca), value_(value) {
    transaction
        .query(
            "INSERT INTO uniqueness_lock(ca, kind, hash, asked_at) VALUES(?, ?, ?, ?) "
            "ON CONFLICT(ca, kind, hash) DO UPDATE SET asked_at = excluded.asked_at")
        .bind(ca)
        .bind(Kind::kKind)
        .bind(crypto::sha256(value))
        .bind(now)
        .run();
  }

  /// Certificates of the CA's own (`estia init`) have no username and are nobody's.
  [[nodiscard]] bool include(const std::string& username) {
    if (username.empty()) {
      return false;
    }
    Query row = transaction_.query(Kind::kOwn);
    row.bind(ca_).bind(value_).bind(username);
    return row.step();
  }
  [[nodiscard]] std::optional<std::string> any() {
    Query row = transaction_.query(Kind::kAny);
    row.bind(ca_).bind(value_);
    return row.step() ? std::optional(row.text(0)) : std::nullopt;
  }
  /// A holder, unless this end entity is one too: then it is a renewal.
  [[nodiscard]] std::optional<std::string> other_than(const std::string& username) {
    return include(username) ? std::nullopt : any();
  }

 private:
  Transaction& transaction_;
  const std::string& ca_;
  ByteView value_;
};

std::string held_by(const std::string& username) {
  return username.empty() ? "held by a certificate of the CA's own" : "held by " + username;
}

/// Whom an operator registered under this subject, unless it is this end entity too: a registration
/// comes before any certificate.
std::optional<std::string> registered_for(Transaction& transaction, const ca::Intent& intent,
                                          const std::string& username) {
  Query row = transaction.query(
      "SELECT username, username_key = ?1 AS own FROM end_entity WHERE ca = ?2 AND "
      "subject_key = ?3 AND created_by IS NULL ORDER BY own DESC LIMIT 1");
  row.bind(ca::username_key(username)).bind(intent.ca).bind(intent.subject);
  if (!row.step() || row.integer(1) != 0) {
    return std::nullopt;
  }
  return row.text(0);
}

std::optional<ca::Refused> judge_subject(Transaction& transaction, const ca::Intent& intent,
                                         const std::string& username, Instant now) {
  static const Bytes kEmpty = crypto::Name().canonical();
  // Without a subject the alternative names tell certificates apart (RFC 5280 4.1.2.6).
  if (!intent.uniqueness.subject || intent.subject == kEmpty) {
    return std::nullopt;
  }
  Holders<Subject> holders(transaction, intent.ca, intent.subject, now);
  if (holders.include(username)) {
    return std::nullopt;
  }
  const auto refused = [](std::string detail) {
    return ca::Refused{"unique.subject", "this subject belongs to another end entity",
                       ErrorCode::forbidden, std::move(detail)};
  };
  if (const auto other = holders.any()) {
    return refused(held_by(*other));
  }
  if (const auto other = registered_for(transaction, intent, username)) {
    return refused("registered for " + *other);
  }
  return std::nullopt;
}

std::optional<ca::Refused> judge_key(Transaction& transaction, const ca::Intent& intent,
                                     const std::string& username, Instant now) {
  if (!intent.uniqueness.key && !intent.uniqueness.fresh_key) {
    return std::nullopt;
  }
  Holders<Key> holders(transaction, intent.ca, intent.key_fingerprint, now);
  if (intent.uniqueness.fresh_key && holders.include(username)) {
    return ca::Refused{"unique.key_used", "this key was used before; make a new one",
                       ErrorCode::malformed};
  }
  if (!intent.uniqueness.key) {
    return std::nullopt;
  }
  if (const auto other = holders.other_than(username)) {
    return ca::Refused{"unique.key", "this key belongs to another end entity; make a new one",
                       ErrorCode::forbidden, held_by(*other)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<ca::Refused> judge_uniqueness(Transaction& transaction, const ca::Intent& intent,
                                            const std::string& username, Instant now) {
  // Always in this order: two writers that took their locks crosswise would wait for each other.
  if (auto refused = judge_subject(transaction, intent, username, now)) {
    return refused;
  }
  return judge_key(transaction, intent, username, now);
}

void supersede_older(Transaction& transaction, ByteView serial, Instant now,
                     const ca::AuditEvent& audit) {
  std::vector<Bytes> superseded;
  {
    // An open intent counts as issued. A hold is no way back into use either, nor is having expired
    // a little while ago: an alias may let such a certificate renew (`expired_grace`).
    Query update = transaction.query(
        "UPDATE certificate SET revoked_at = ?1, revocation_reason = ?2 WHERE rowid IN "
        "(SELECT older.rowid FROM certificate AS new JOIN certificate AS older ON "
        "older.username = new.username AND older.ca = new.ca AND older.profile = new.profile AND "
        "older.rowid < new.rowid WHERE new.serial = ?3 AND new.single_active = 1 AND "
        "new.username <> '' AND (new.revoked_at IS NULL OR new.revocation_reason = ?4) AND "
        "older.state <> 'failed' AND older.not_after >= ?5 AND "
        "(older.revoked_at IS NULL OR older.revocation_reason = ?4)) RETURNING serial");
    update.bind(now)
        .bind(std::int64_t{ca::kSuperseded})
        .bind(serial)
        .bind(std::int64_t{ca::kCertificateHold})
        .bind(now - ca::kLongestExpiredGrace);
    while (update.step()) {
      superseded.push_back(update.blob(0));
    }
  }
  for (const Bytes& older : superseded) {
    ca::AuditEvent revoked = audit;
    revoked.what = "certificate.revoked";
    revoked.object = to_hex(older);
    revoked.detail = "reason=superseded by=" + to_hex(serial);
    transaction.audit(revoked);
  }
}

}  // namespace estia::store
