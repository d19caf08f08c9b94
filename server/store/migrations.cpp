// SPDX-License-Identifier: Apache-2.0
#include "server/store/migrations.h"

#include <array>
#include <string>

#include "crypto/base/error.h"

namespace estia::store {
namespace {

// Times are unix milliseconds. Rows of `certificate` and `audit` are never deleted.
constexpr const char* kFirst = R"sql(
CREATE TABLE meta(
  node TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE certificate(
  serial BLOB PRIMARY KEY NOT NULL CHECK(length(serial) BETWEEN 1 AND 20),
  ca TEXT NOT NULL,
  alias TEXT NOT NULL,
  username TEXT NOT NULL,
  operation TEXT NOT NULL,
  profile TEXT NOT NULL,
  config_version INTEGER NOT NULL,
  who TEXT NOT NULL,
  subject BLOB NOT NULL,
  subject_text TEXT NOT NULL,
  key_fingerprint BLOB NOT NULL,
  tbs BLOB NOT NULL CHECK(length(tbs) > 0),
  certificate BLOB CHECK(length(certificate) > 0),
  state TEXT NOT NULL CHECK(state IN ('intended', 'issued', 'failed')),
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  issued_at INTEGER,
  retry_key BLOB,
  boot_id BLOB NOT NULL,
  revoked_at INTEGER,
  revocation_reason INTEGER,
  CHECK((state = 'issued') = (certificate IS NOT NULL)),
  CHECK((certificate IS NULL) = (issued_at IS NULL)),
  CHECK((revoked_at IS NULL) = (revocation_reason IS NULL))
) STRICT;
CREATE INDEX certificate_retry_key ON certificate(retry_key) WHERE retry_key IS NOT NULL;
CREATE INDEX certificate_subject ON certificate(ca, subject);
CREATE INDEX certificate_key ON certificate(ca, key_fingerprint);
CREATE INDEX certificate_username ON certificate(username, ca);
CREATE INDEX certificate_open ON certificate(state) WHERE state = 'intended';

-- created_by: the intent that brought the entity into being, as long as it has one
CREATE TABLE end_entity(
  username TEXT NOT NULL,
  ca TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by BLOB,
  PRIMARY KEY(username, ca)
) STRICT, WITHOUT ROWID;

CREATE TABLE configuration(
  version INTEGER PRIMARY KEY NOT NULL CHECK(version > 0),
  document TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  who TEXT NOT NULL
) STRICT;

CREATE TABLE account_secret(
  version INTEGER NOT NULL REFERENCES configuration(version),
  alias TEXT NOT NULL,
  user TEXT NOT NULL,
  scheme TEXT NOT NULL,
  salt BLOB NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY(version, alias, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit(
  node TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  outcome TEXT NOT NULL,
  object TEXT NOT NULL,
  detail TEXT NOT NULL,
  previous_hash BLOB NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY(node, sequence)
) STRICT, WITHOUT ROWID;

-- the newest row of each chain, so that a cut tail shows
CREATE TABLE audit_head(
  node TEXT PRIMARY KEY NOT NULL,
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::array kMigrations{Migration{1, kFirst}};

void apply(Database& database, const Migration& step) {
  database.run("BEGIN IMMEDIATE");
  try {
    database.script(step.sql);
    database.script("PRAGMA user_version = " + std::to_string(step.version));
    database.run("COMMIT");
  } catch (...) {
    if (database.in_transaction()) {
      database.run("ROLLBACK");
    }
    throw;
  }
}

}  // namespace

std::span<const Migration> migrations() noexcept {
  return kMigrations;
}

void require_known_schema(Database& database, std::span<const Migration> steps) {
  const std::int64_t present = database.integer_of("PRAGMA user_version");
  const std::int64_t newest = steps.empty() ? 0 : steps.back().version;
  if (present > newest) {
    throw Error(
        ErrorCode::config, "store.newer_schema",
        "the store was written by a newer version of Estia",
        "schema " + std::to_string(present) + ", this program knows " + std::to_string(newest));
  }
}

void migrate(Database& database, std::span<const Migration> steps) {
  require_known_schema(database, steps);
  const std::int64_t present = database.integer_of("PRAGMA user_version");
  for (const Migration& step : steps) {
    if (step.version > present) {
      apply(database, step);
    }
  }
}

}  // namespace estia::store
