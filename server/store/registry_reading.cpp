// SPDX-License-Identifier: Apache-2.0
// What is asked of the registry without changing it.
#include <optional>
#include <string>

#include "server/store/registry.h"

namespace estia::store {
namespace {

ca::CertificateState state_of(const std::string& text) {
  if (text == "intended") {
    return ca::CertificateState::intended;
  }
  return text == "issued" ? ca::CertificateState::issued : ca::CertificateState::failed;
}

constexpr const char* kFind =
    "SELECT serial, ca, alias, username, profile, state, tbs, certificate, recorded_at, revoked_at,"
    " revocation_reason FROM certificate WHERE serial = ?";
constexpr const char* kOpenIntents =
    "SELECT serial, ca, alias, username, profile, state, tbs, certificate, recorded_at, revoked_at,"
    " revocation_reason FROM certificate WHERE state = 'intended' AND boot_id <> ? ORDER BY rowid";
constexpr const char* kOfEndEntity =
    "SELECT serial, ca, alias, username, profile, state, tbs, certificate, recorded_at, revoked_at,"
    " revocation_reason FROM certificate WHERE username = ? AND state <> 'failed' "
    "ORDER BY rowid DESC LIMIT ?";
// By its subject, which few certificates share: an end entity may have very many (scheme fixed).
constexpr const char* kInForce =
    "SELECT serial, ca, alias, username, profile, state, tbs, certificate, recorded_at, revoked_at,"
    " revocation_reason FROM certificate WHERE ca = ? AND subject = ? AND +username = ? AND "
    "profile = ? AND state = 'issued' AND not_before <= ?5 AND not_after > ?5 AND "
    "(revoked_at IS NULL OR (revocation_reason = 4 AND revoked_at > ?6)) "
    "ORDER BY revoked_at IS NOT NULL, not_after DESC LIMIT 100";

/// A row of kFind, kInForce, kOfEndEntity or kOpenIntents.
ca::CertificateRecord record_of(const Query& row) {
  ca::CertificateRecord record{.serial = row.blob(0),
                               .ca = row.text(1),
                               .alias = row.text(2),
                               .username = row.text(3),
                               .profile = row.text(4),
                               .state = state_of(row.text(5)),
                               .tbs = row.blob(6),
                               .certificate = row.blob(7),
                               .recorded_at = row.instant(8),
                               .revocation = std::nullopt};
  if (!row.is_null(9)) {
    record.revocation =
        ca::Revocation{.at = row.instant(9), .reason = static_cast<int>(row.integer(10))};
  }
  return record;
}

}  // namespace

std::optional<ca::CertificateRecord> SqliteRegistry::find(const Bytes& serial) const {
  return readers_.read([&](Database& database) -> std::optional<ca::CertificateRecord> {
    Query row = database.query(kFind);
    row.bind(serial);
    if (!row.step()) {
      return std::nullopt;
    }
    return record_of(row);
  });
}

std::vector<ca::CertificateRecord> SqliteRegistry::in_force(const ca::InForce& wanted) const {
  return readers_.read([&](Database& database) {
    std::vector<ca::CertificateRecord> found;
    Query rows = database.query(kInForce);
    rows.bind(wanted.ca)
        .bind(wanted.subject)
        .bind(wanted.username)
        .bind(wanted.profile)
        .bind(wanted.at)
        .bind(wanted.superseded_after);
    while (rows.step()) {
      found.push_back(record_of(rows));
    }
    return found;
  });
}

std::vector<ca::CertificateRecord> SqliteRegistry::of_end_entity(std::string_view username,
                                                                 std::size_t limit) const {
  return readers_.read([&](Database& database) {
    std::vector<ca::CertificateRecord> found;
    Query rows = database.query(kOfEndEntity);
    rows.bind(username).bind(static_cast<std::int64_t>(limit));
    while (rows.step()) {
      found.push_back(record_of(rows));
    }
    return found;
  });
}

std::vector<ca::CertificateRecord> SqliteRegistry::open_intents() const {
  return readers_.read([&](Database& database) {
    std::vector<ca::CertificateRecord> open;
    Query rows = database.query(kOpenIntents);
    rows.bind(boot_id_);
    while (rows.step()) {
      open.push_back(record_of(rows));
    }
    return open;
  });
}

}  // namespace estia::store
