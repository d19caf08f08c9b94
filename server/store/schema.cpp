// SPDX-License-Identifier: Apache-2.0
#include "server/store/schema.h"

namespace estia::store {

// Times are unix milliseconds. Rows of `certificate` and `audit` are never deleted.
const char* const kFirst = R"sql(
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

// One username is one end entity, whatever its spelling and CA. Where an older store has several,
// all but the first get the name of their CA behind theirs.
const char* const kEndEntities = R"sql(
CREATE TABLE entity(
  username_key TEXT PRIMARY KEY NOT NULL,
  username TEXT NOT NULL,
  ca TEXT NOT NULL,
  end_entity_profile TEXT NOT NULL,
  certificate_profile TEXT NOT NULL,
  subject BLOB NOT NULL,
  san BLOB NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0 CHECK(disabled IN (0, 1)),
  created_at INTEGER NOT NULL,
  created_by BLOB
) STRICT;

INSERT INTO entity(username_key, username, ca, end_entity_profile, certificate_profile, subject, san,
                   created_at, created_by)
SELECT username_key(username), username, ca, '', coalesce((SELECT profile FROM certificate WHERE
  certificate.username = e.username AND certificate.ca = e.ca AND state <> 'failed'
  ORDER BY rowid DESC LIMIT 1), ''), x'3000', x'', created_at, created_by FROM
  (SELECT *, row_number() OVER (PARTITION BY username_key(username) ORDER BY created_at, username, ca) AS n
   FROM end_entity) AS e WHERE n = 1;
UPDATE certificate SET username = username || ' of ' || ca WHERE username <> '' AND state <> 'failed' AND NOT EXISTS
  (SELECT 1 FROM entity WHERE username_key = username_key(certificate.username) AND ca = certificate.ca);
INSERT INTO entity(username_key, username, ca, end_entity_profile, certificate_profile, subject, san,
                   created_at, created_by)
SELECT username_key(username || ' of ' || ca), username || ' of ' || ca, ca, '', '', x'3000', x'',
  created_at, created_by FROM end_entity WHERE NOT EXISTS
  (SELECT 1 FROM entity WHERE username_key = username_key(end_entity.username) AND ca = end_entity.ca)
ON CONFLICT(username_key) DO NOTHING;
UPDATE certificate SET username = coalesce(
  (SELECT username FROM entity WHERE username_key = username_key(certificate.username)), username)
  WHERE username <> '';
DROP TABLE end_entity;
-- What was called username_field is a list now.
UPDATE configuration SET document = naming_of_aliases(document);
ALTER TABLE entity RENAME TO end_entity;

ALTER TABLE certificate ADD COLUMN code_id BLOB;
-- what the end entity will be called once this is issued, where that differs
ALTER TABLE certificate ADD COLUMN new_subject BLOB;
ALTER TABLE certificate ADD COLUMN new_san BLOB;

CREATE TABLE enrollment_code(
  id BLOB PRIMARY KEY NOT NULL CHECK(length(id) = 16),
  username_key TEXT NOT NULL REFERENCES end_entity(username_key),
  scheme TEXT NOT NULL,
  salt BLOB NOT NULL,
  digest BLOB NOT NULL,
  uses_left INTEGER NOT NULL CHECK(uses_left >= 0),
  expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX enrollment_code_username ON enrollment_code(username_key);
)sql";

// One row per CA and subject or key, written before its holders are compared: a database with
// several writers makes the second one wait there. Certificates of before need none, they are
// compared too.
const char* const kUniqueness = R"sql(
CREATE TABLE uniqueness_lock(
  ca TEXT NOT NULL,
  kind TEXT NOT NULL CHECK(kind IN ('subject', 'key')),
  hash BLOB NOT NULL CHECK(length(hash) = 32),
  asked_at INTEGER NOT NULL,
  PRIMARY KEY(ca, kind, hash)
) STRICT, WITHOUT ROWID;

DROP INDEX certificate_subject;
DROP INDEX certificate_key;
CREATE INDEX certificate_subject ON certificate(ca, subject, username);
CREATE INDEX certificate_key ON certificate(ca, key_fingerprint, username);

-- whether its end entity's older certificates are superseded once it is issued
ALTER TABLE certificate ADD COLUMN single_active INTEGER NOT NULL DEFAULT 0 CHECK(single_active IN (0, 1));
)sql";

// CRLs of foreign CAs, by the certificate of the anchor they were verified against.
const char* const kAnchorCrls = R"sql(
CREATE TABLE anchor_crl(
  anchor BLOB NOT NULL CHECK(length(anchor) = 32),
  issuer BLOB NOT NULL,
  crl BLOB NOT NULL CHECK(length(crl) > 0),
  PRIMARY KEY(anchor, issuer)
) STRICT, WITHOUT ROWID;
)sql";

// What subjects are compared by, so that one that is registered is found before it is certified.
const char* const kRegisteredSubjects = R"sql(
ALTER TABLE end_entity ADD COLUMN subject_key BLOB NOT NULL DEFAULT x'';
UPDATE end_entity SET subject_key = canonical_subject(subject);
CREATE INDEX end_entity_subject ON end_entity(ca, subject_key) WHERE created_by IS NULL;
)sql";

// What clients open their keys with. `value` of a secret or password is sealed under a key of the
// token, of a certificate it is the certificate.
const char* const kDecryptKeys = R"sql(
CREATE TABLE decrypt_key(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner_kind TEXT NOT NULL CHECK(owner_kind IN ('alias', 'end_entity')),
  owner TEXT NOT NULL,
  kind TEXT NOT NULL CHECK(kind IN ('secret', 'certificate', 'password')),
  identifier BLOB NOT NULL CHECK(length(identifier) < 256),
  value BLOB NOT NULL CHECK(length(value) > 0),
  created_at INTEGER NOT NULL,
  UNIQUE(owner_kind, owner, kind, identifier),
  CHECK((kind = 'password') = (length(identifier) = 0))
) STRICT;
)sql";

}  // namespace estia::store
