// SPDX-License-Identifier: Apache-2.0
#include "server/store/writer.h"

#include <stdexcept>

#include "server/store/opening.h"
#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

class WriterTest : public StoreTest {
 protected:
  Writer writer_{create_database(path(), "node-1", clock_), "node-1", {16, 1000}};

  [[nodiscard]] std::uint64_t audit_rows() const {
    return verify_audit_chains(*open_reader(path()));
  }
};

TEST_F(WriterTest, AJobThatFailsAfterItsAuditRowLeavesTheChainWhole) {
  const auto append = [](Transaction& transaction) { transaction.audit(event("daemon.started")); };
  writer_.transact(append);
  EXPECT_THROW(writer_.transact([&](Transaction& transaction) {
    append(transaction);
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  writer_.transact(append);
  EXPECT_EQ(audit_rows(), 2U);
  EXPECT_EQ(writer_.counts().failures, 0U);
}

TEST_F(WriterTest, ABatchThatFailsAfterAnAuditRowLeavesTheChainWhole) {
  const auto append = [](Transaction& transaction) { transaction.audit(event("daemon.started")); };
  writer_.transact(append);
  vfs_.fail_at(1, ShimVfs::Fault::disk_full, false);
  EXPECT_EQ(error_id([&] { writer_.transact(append); }), "store.full");
  writer_.transact(append);
  EXPECT_EQ(audit_rows(), 2U);
  EXPECT_EQ(writer_.counts().failures, 1U);
}

TEST_F(WriterTest, ALaterJobSeesWhatAnEarlierOneDid) {
  writer_.transact([](Transaction& transaction) {
    transaction.query("INSERT INTO meta(node, created_at) VALUES('a', 1)").run();
  });
  EXPECT_EQ(writer_.transact([](Transaction& transaction) {
    Query rows = transaction.query("SELECT count(*) FROM meta WHERE node = 'a'");
    static_cast<void>(rows.step());
    return rows.integer(0);
  }),
            1);
}

}  // namespace
}  // namespace estia::store::test
