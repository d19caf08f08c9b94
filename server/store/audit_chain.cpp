// SPDX-License-Identifier: Apache-2.0
#include "server/store/audit_chain.h"

#include <utility>
#include <vector>

#include "crypto/base/error.h"
#include "crypto/keys/digest.h"

namespace estia::store {
namespace {

constexpr std::string_view kDomain = "estia audit row 1";
constexpr std::size_t kHashOctets = 32;

/// The hash before the first row.
Bytes genesis() {
  return Bytes(kHashOctets, 0);
}

void integer_field(crypto::Sha256& digest, std::int64_t value) {
  Bytes octets(8);
  auto rest = static_cast<std::uint64_t>(value);
  for (std::size_t i = octets.size(); i-- > 0; rest >>= 8U) {
    octets[i] = static_cast<std::uint8_t>(rest & 0xFFU);
  }
  digest.field(octets);
}

/// `at` in unix milliseconds, as stored: a forged one may be no Instant at all.
Bytes row_hash(std::string_view node, std::int64_t sequence, std::int64_t at,
               const ca::AuditEvent& event, ByteView previous_hash) {
  crypto::Sha256 digest;
  digest.field(as_bytes(kDomain));
  digest.field(as_bytes(node));
  integer_field(digest, sequence);
  integer_field(digest, at);
  digest.field(as_bytes(event.who));
  digest.field(as_bytes(event.what));
  digest.field(as_bytes(event.outcome));
  digest.field(as_bytes(event.object));
  digest.field(as_bytes(event.detail));
  digest.field(previous_hash);
  return digest.finish();
}

[[noreturn]] void broken(const std::string& node, std::int64_t sequence, const char* how) {
  throw Error(
      ErrorCode::store, "store.audit_chain_broken",
      "the audit trail is broken at sequence " + std::to_string(sequence) + " of node " + node,
      how);
}

std::int64_t verify_chain(Database& database, const std::string& node, const AuditHead& end) {
  AuditHead at{0, genesis()};
  Query rows = database.query(
      "SELECT sequence, at, who, what, outcome, object, detail, previous_hash, hash FROM audit "
      "WHERE node = ? ORDER BY sequence");
  rows.bind(node);
  while (rows.step()) {
    const std::int64_t sequence = rows.integer(0);
    if (sequence != at.sequence + 1) {
      broken(node, at.sequence + 1, "the row is missing");
    }
    const ca::AuditEvent event{.at = {},
                               .who = rows.text(2),
                               .what = rows.text(3),
                               .outcome = rows.text(4),
                               .object = rows.text(5),
                               .detail = rows.text(6)};
    const Bytes previous_hash = rows.blob(7);
    Bytes hash = rows.blob(8);
    if (previous_hash != at.hash) {
      broken(node, sequence, "the row does not continue the one before it");
    }
    if (hash != row_hash(node, sequence, rows.integer(1), event, previous_hash)) {
      broken(node, sequence, "the row was altered");
    }
    at = {sequence, std::move(hash)};
  }
  if (at.sequence < end.sequence) {
    broken(node, at.sequence + 1, "the rows to the end of the chain are missing");
  }
  if (at.sequence > end.sequence || at.hash != end.hash) {
    broken(node, at.sequence, "the recorded end of the chain differs");
  }
  return at.sequence;
}

std::uint64_t verify_every_chain(Database& database) {
  std::vector<std::pair<std::string, AuditHead>> heads;
  {
    Query rows = database.query("SELECT node, sequence, hash FROM audit_head ORDER BY node");
    while (rows.step()) {
      heads.emplace_back(rows.text(0), AuditHead{rows.integer(1), rows.blob(2)});
    }
  }
  std::uint64_t count = 0;
  for (const auto& [node, end] : heads) {
    count += static_cast<std::uint64_t>(verify_chain(database, node, end));
  }
  Query stray = database.query(
      "SELECT node, sequence FROM audit WHERE node NOT IN (SELECT node FROM audit_head) "
      "ORDER BY node, sequence LIMIT 1");
  if (stray.step()) {
    broken(stray.text(0), stray.integer(1), "the row belongs to no chain");
  }
  return count;
}

}  // namespace

void AuditChain::begin(Database& database, const std::string& node) {
  database.query("INSERT INTO audit_head(node, sequence, hash) VALUES(?, 0, ?)")
      .bind(node)
      .bind(genesis())
      .run();
}

AuditChain::AuditChain(Database& database, std::string node) : node_(std::move(node)) {
  Query row = database.query("SELECT sequence, hash FROM audit_head WHERE node = ?");
  row.bind(node_);
  if (!row.step()) {
    broken(node_, 0, "the node has no chain");
  }
  head_ = {row.integer(0), row.blob(1)};
}

void AuditChain::append(Database& database, const ca::AuditEvent& event) {
  const std::int64_t sequence = head_.sequence + 1;
  Bytes hash = row_hash(node_, sequence, unix_millis(event.at), event, head_.hash);
  database
      .query(
          "INSERT INTO audit(node, sequence, at, who, what, outcome, object, detail, "
          "previous_hash, hash) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(node_)
      .bind(sequence)
      .bind(event.at)
      .bind(event.who)
      .bind(event.what)
      .bind(event.outcome)
      .bind(event.object)
      .bind(event.detail)
      .bind(head_.hash)
      .bind(hash)
      .run();
  head_ = {sequence, std::move(hash)};
}

void AuditChain::save_head(Database& database) const {
  database.query("UPDATE audit_head SET sequence = ?, hash = ? WHERE node = ?")
      .bind(head_.sequence)
      .bind(head_.hash)
      .bind(node_)
      .run();
}

std::uint64_t verify_audit_chains(Database& database) {
  // One read transaction: rows and the recorded ends must be of the same moment.
  database.run("BEGIN");
  try {
    const std::uint64_t count = verify_every_chain(database);
    database.run("COMMIT");
    return count;
  } catch (...) {
    if (database.in_transaction()) {
      database.run("ROLLBACK");
    }
    throw;
  }
}

}  // namespace estia::store
