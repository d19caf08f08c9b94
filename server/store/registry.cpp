// SPDX-License-Identifier: Apache-2.0
#include "server/store/registry.h"

#include <optional>
#include <string>

#include "crypto/base/error.h"
#include "server/store/claims.h"
#include "server/store/uniqueness.h"

namespace estia::store {
namespace {

[[noreturn]] void unknown_serial(ErrorCode code, const Bytes& serial) {
  throw Error(code, "registry.unknown_serial", "there is no certificate with this serial number",
              to_hex(serial));
}

/// Of a certificate that exists; nullopt when it is not revoked.
std::optional<int> reason_in_force(Transaction& transaction, const Bytes& serial) {
  Query row = transaction.query("SELECT revocation_reason FROM certificate WHERE serial = ?");
  row.bind(serial);
  if (!row.step()) {
    unknown_serial(ErrorCode::not_found, serial);
  }
  return row.is_null(0) ? std::nullopt : std::optional(static_cast<int>(row.integer(0)));
}

}  // namespace

namespace {

/// Thrown in a job, so that it is rolled back like any that failed, and only it.
struct Undone {
  ca::IntentOutcome outcome;
};

}  // namespace

ca::IntentOutcome SqliteRegistry::intend(const ca::Intent& intent, const ca::AuditEvent& audit) {
  try {
    return writer_.transact([&](Transaction& transaction) {
      ca::IntentOutcome outcome = record(transaction, intent, audit);
      if (std::holds_alternative<ca::Refused>(outcome)) {
        throw Undone{std::move(outcome)};  // whatever it claimed on the way
      }
      return outcome;
    });
  } catch (Undone& undone) {
    return std::move(undone.outcome);
  }
}

ca::IntentOutcome SqliteRegistry::rehearse(const ca::Intent& intent) {
  try {
    writer_.transact(
        [&](Transaction& transaction) { throw Undone{record(transaction, intent, {})}; });
  } catch (Undone& undone) {
    return std::move(undone.outcome);
  }
  throw Error(ErrorCode::internal, "registry.rehearsal", "internal error",
              "a rehearsal was recorded");
}

ca::IntentOutcome SqliteRegistry::record(Transaction& transaction, const ca::Intent& intent,
                                         const ca::AuditEvent& audit) const {
  const Instant now = clock_.now();
  const auto revoked_for = [&](const Bytes& serial) {
    return serial.empty() ? std::nullopt : reason_in_force(transaction, serial);
  };
  const std::optional<int> presented = revoked_for(intent.presented);
  const std::optional<int> renewed = revoked_for(intent.renewed);
  if (presented.value_or(ca::kSuperseded) != ca::kSuperseded ||
      renewed.value_or(ca::kSuperseded) != ca::kSuperseded) {
    return ca::Refused{"own_certificate.revoked_meanwhile",
                       "the client certificate has been revoked", ErrorCode::forbidden};
  }
  const EntityVerdict entity = judge_end_entity(transaction, intent);
  if (entity.refused) {
    return *entity.refused;
  }
  if (auto earlier = answered_before(transaction, intent, now)) {
    return std::move(*earlier);
  }
  // Only an answer that was given before is left for them.
  if (presented || renewed) {
    return ca::Refused{"own_certificate.superseded",
                       "the certificate is revoked: a newer one took its place",
                       ErrorCode::forbidden};
  }
  if (intent.entity.first_only && holds_certificate(transaction, entity.username, intent.ca, now)) {
    return ca::Refused{"vendor.not_first",
                       "this end entity has a certificate already: renew that one",
                       ErrorCode::forbidden};
  }
  if (auto taken = judge_uniqueness(transaction, intent, entity.username, now)) {
    return std::move(*taken);
  }
  const Bytes& code_id = intent.entity.code_id;
  if (!code_id.empty() && !use_code(transaction, code_id, now)) {
    return ca::Refused{"code.spent", "the enrolment code has no uses left"};
  }
  if (!insert_intent(transaction, intent, entity.username, now, boot_id_)) {
    return ca::Refused{"serial.taken", "the serial number is in use"};
  }
  settle_end_entity(transaction, intent, entity, now);
  transaction.audit(audit);
  return ca::Recorded{};
}

Bytes SqliteRegistry::commit(const Bytes& serial, const Bytes& certificate,
                             const ca::AuditEvent& audit) {
  return writer_.transact([&](Transaction& transaction) -> Bytes {
    {
      const Instant now = clock_.now();
      Query update = transaction.query(
          "UPDATE certificate SET state = 'issued', certificate = ?, issued_at = ? "
          "WHERE serial = ? AND state = 'intended' RETURNING 1");
      update.bind(certificate).bind(now).bind(serial);
      if (update.step()) {
        update.run();
        rename_end_entity(transaction, serial, audit);
        transaction.audit(audit);
        supersede_older(transaction, serial, now, audit);
        return certificate;
      }
    }
    Query recorded =
        transaction.query("SELECT state, certificate FROM certificate WHERE serial = ?");
    recorded.bind(serial);
    if (!recorded.step()) {
      unknown_serial(ErrorCode::internal, serial);
    }
    if (recorded.text(0) != "issued") {
      throw Error(ErrorCode::conflict, "registry.intent_closed",
                  "the request was given up; send it again", to_hex(serial));
    }
    return recorded.blob(1);
  });
}

void SqliteRegistry::fail(const Bytes& serial, const ca::AuditEvent& audit) {
  writer_.transact([&](Transaction& transaction) {
    std::string username;
    Bytes code_id;
    {
      Query update = transaction.query(
          "UPDATE certificate SET state = 'failed' WHERE serial = ? AND state = 'intended' "
          "RETURNING username, code_id");
      update.bind(serial);
      if (!update.step()) {
        Query known = transaction.query("SELECT 1 FROM certificate WHERE serial = ?");
        known.bind(serial);
        if (!known.step()) {
          unknown_serial(ErrorCode::internal, serial);
        }
        return;
      }
      username = update.text(0);
      code_id = update.blob(1);
      update.run();
    }
    release_end_entity(transaction, serial, username);
    give_back_code(transaction, code_id);
    transaction.audit(audit);
  });
}

void SqliteRegistry::revoke(const Bytes& serial, const ca::Revocation& revocation,
                            const ca::AuditEvent& audit) {
  writer_.transact([&](Transaction& transaction) {
    // A hold never replaces anything, a revocation replaces a hold.
    Query update = transaction.query(
        "UPDATE certificate SET revoked_at = ?, revocation_reason = ? WHERE serial = ? AND "
        "(revoked_at IS NULL OR (? AND revocation_reason = 6)) RETURNING 1");
    update.bind(revocation.at)
        .bind(std::int64_t{revocation.reason})
        .bind(serial)
        .bind(std::int64_t{revocation.reason != ca::kCertificateHold});
    if (update.step()) {
      update.run();
      transaction.audit(audit);
      return;
    }
    if (reason_in_force(transaction, serial) == ca::kCertificateHold) {
      throw Error(ErrorCode::conflict, "registry.already_held",
                  "the certificate is on hold already", to_hex(serial));
    }
    throw Error(ErrorCode::conflict, "registry.already_revoked",
                "the certificate is revoked already", to_hex(serial));
  });
}

void SqliteRegistry::release(const Bytes& serial, const ca::AuditEvent& audit) {
  writer_.transact([&](Transaction& transaction) {
    Query update = transaction.query(
        "UPDATE certificate SET revoked_at = NULL, revocation_reason = NULL "
        "WHERE serial = ? AND revocation_reason = 6 RETURNING 1");
    update.bind(serial);
    if (update.step()) {
      update.run();
      transaction.audit(audit);
      return;
    }
    static_cast<void>(reason_in_force(transaction, serial));
    throw Error(ErrorCode::conflict, "registry.not_held", "the certificate is not on hold",
                to_hex(serial));
  });
}

}  // namespace estia::store
