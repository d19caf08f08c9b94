// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>

#include "crypto/base/file.h"
#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

constexpr std::uint64_t kRows = 6;

class AuditChainTest : public StoreTest {
 protected:
  /// Six rows, the store closed.
  AuditChainTest() {
    const auto store = create();
    for (std::uint64_t i = 1; i <= kRows; ++i) {
      ca::AuditEvent one = event("daemon.started");
      one.detail = "needle-" + std::to_string(i);
      store->audit_log().append(one);
    }
  }
  [[nodiscard]] std::string open_error() {
    return error_id([&] { static_cast<void>(open()); });
  }
  void expect_broken_at(std::uint64_t sequence, const std::string& what) {
    EXPECT_EQ(open_error(), "store.audit_chain_broken") << what;
    EXPECT_EQ(
        error_text([&] { static_cast<void>(open()); }),
        "the audit trail is broken at sequence " + std::to_string(sequence) + " of node node-1")
        << what;
  }
};

TEST_F(AuditChainTest, AnIntactChainOpens) {
  EXPECT_EQ(open()->verify_audit_chain(), kRows);
}

TEST_F(AuditChainTest, RowsAreNumberedInTheOrderOfTheirEvents) {
  for (std::uint64_t i = 1; i <= kRows; ++i) {
    EXPECT_EQ(sql_text(path(), "SELECT detail FROM audit WHERE sequence = " + std::to_string(i)),
              "needle-" + std::to_string(i));
  }
}

TEST_F(AuditChainTest, TheChainGoesOnAfterReopening) {
  open()->audit_log().append(event("daemon.started"));
  EXPECT_EQ(open()->verify_audit_chain(), kRows + 1);
  EXPECT_EQ(sql_integer(path(), "SELECT max(sequence) FROM audit"),
            static_cast<std::int64_t>(kRows + 1));
}

TEST_F(AuditChainTest, AFlippedByteInAnyColumnOfAnyRowIsFound) {
  const std::string good = read_file(path());
  for (std::uint64_t row = 1; row <= kRows; ++row) {
    const std::string where = " WHERE sequence = " + std::to_string(row);
    for (const std::string column : {"node", "who", "what", "outcome", "object", "detail"}) {
      sql_run(path(), "UPDATE audit SET " + column + " = CASE " + column +
                          " WHEN '' THEN 'x' ELSE char(unicode(" + column + ") + 1) || substr(" +
                          column + ", 2) END" + where);
      expect_broken_at(row, column);
      std::ofstream(path(), std::ios::binary | std::ios::trunc) << good;
    }
    for (const std::string column : {"hash", "previous_hash"}) {
      std::string hex = sql_text(path(), "SELECT hex(" + column + ") FROM audit" + where);
      hex.back() = hex.back() == '0' ? '1' : '0';
      sql_run(path(), "UPDATE audit SET " + column + " = x'" + hex + "'" + where);
      expect_broken_at(row, column);
      std::ofstream(path(), std::ios::binary | std::ios::trunc) << good;
    }
    sql_run(path(), "UPDATE audit SET at = at + 1" + where);
    expect_broken_at(row, "at");
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << good;
    sql_run(path(), "UPDATE audit SET at = 9223372036854775807" + where);
    expect_broken_at(row, "at");
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << good;
    sql_run(path(), "UPDATE audit SET sequence = sequence + 256" + where);
    expect_broken_at(row, "sequence");
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << good;
  }
}

TEST_F(AuditChainTest, AByteFlippedInTheFileItselfIsFound) {
  std::string bytes = read_file(path());
  const std::size_t at = bytes.find("needle-4");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 'm';
  std::ofstream(path(), std::ios::binary | std::ios::trunc) << bytes;
  expect_broken_at(4, "raw");
}

TEST_F(AuditChainTest, ADeletedRowIsFound) {
  const std::string good = read_file(path());
  for (std::uint64_t row = 1; row <= kRows; ++row) {
    sql_run(path(), "DELETE FROM audit WHERE sequence = " + std::to_string(row));
    expect_broken_at(row, "deleted");
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << good;
  }
}

TEST_F(AuditChainTest, ACutTailIsFound) {
  sql_run(path(), "DELETE FROM audit WHERE sequence > 3");
  expect_broken_at(4, "tail");
  sql_run(path(), "DELETE FROM audit");
  expect_broken_at(1, "all");
}

TEST_F(AuditChainTest, SwappedRowsAreFound) {
  sql_run(path(),
          "UPDATE audit SET sequence = -1 WHERE sequence = 2;"
          "UPDATE audit SET sequence = 2 WHERE sequence = 5;"
          "UPDATE audit SET sequence = 5 WHERE sequence = -1");
  expect_broken_at(2, "swapped");
}

TEST_F(AuditChainTest, ARowBesideTheChainIsFound) {
  sql_run(path(),
          "INSERT INTO audit SELECT 'stray', sequence, at, who, what, outcome, object, detail, "
          "previous_hash, hash FROM audit WHERE sequence = 2");
  EXPECT_EQ(error_text([&] { static_cast<void>(open()); }),
            "the audit trail is broken at sequence 2 of node stray");
}

TEST_F(AuditChainTest, ACopyAppendedToTheChainIsFound) {
  sql_run(path(),
          "INSERT INTO audit SELECT node, 7, at, who, what, outcome, object, detail, hash, hash "
          "FROM audit WHERE sequence = 6");
  expect_broken_at(7, "appended");
}

TEST_F(AuditChainTest, ARemovedOrChangedEndIsFound) {
  const std::string good = read_file(path());
  sql_run(path(), "UPDATE audit_head SET sequence = 5");
  EXPECT_EQ(open_error(), "store.audit_chain_broken");
  std::ofstream(path(), std::ios::binary | std::ios::trunc) << good;
  sql_run(path(), "UPDATE audit_head SET hash = zeroblob(32)");
  EXPECT_EQ(open_error(), "store.audit_chain_broken");
  std::ofstream(path(), std::ios::binary | std::ios::trunc) << good;
  sql_run(path(), "DELETE FROM audit_head");
  EXPECT_EQ(open_error(), "store.audit_chain_broken");
  sql_run(path(), "DELETE FROM audit");
  EXPECT_EQ(open_error(), "store.audit_chain_broken") << "a node without a chain";
}

TEST_F(AuditChainTest, ARowAlteredWhileTheStoreIsOpenIsFoundOnDemand) {
  const auto store = open();
  sql_run(path(), "UPDATE audit SET who = 'nobody' WHERE sequence = 3");
  EXPECT_EQ(error_text([&] { static_cast<void>(store->verify_audit_chain()); }),
            "the audit trail is broken at sequence 3 of node node-1");
}

TEST_F(AuditChainTest, EveryMutationLeavesItsRowInTheSameTransaction) {
  const auto store = open();
  intend(*store, intent_of(1));
  static_cast<void>(commit(*store, serial_of(1)));
  store->registry().revoke(serial_of(1), {clock_.now(), 4}, event("certificate.revoked"));
  intend(*store, intent_of(2));
  store->registry().fail(serial_of(2), event("certificate.failed"));
  static_cast<void>(store->configuration().replace(0, "a = 1", {}, {}, event("config.replaced")));
  EXPECT_EQ(sql_text(path(),
                     "SELECT group_concat(what, ' ') FROM (SELECT what FROM audit "
                     "WHERE sequence > 6 ORDER BY sequence)"),
            "certificate.intent certificate.issued certificate.revoked certificate.intent "
            "certificate.failed config.replaced");
  EXPECT_EQ(store->verify_audit_chain(), kRows + 6);
}

}  // namespace
}  // namespace estia::store::test
