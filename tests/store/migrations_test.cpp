// SPDX-License-Identifier: Apache-2.0
#include "server/store/migrations.h"

#include <array>

#include "crypto/base/file.h"
#include "server/store/database.h"
#include "server/store/sql_error.h"
#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

class MigrationsTest : public StoreTest {
 protected:
  MigrationsTest() { write_new_file(path(), "", FileMode::secret); }
};

TEST_F(MigrationsTest, AreNumberedWithoutGaps) {
  std::int64_t expected = 1;
  for (const Migration& step : migrations()) {
    EXPECT_EQ(step.version, expected++);
  }
  EXPECT_GT(expected, 1);
}

TEST_F(MigrationsTest, OnlyTheMissingStepsAreApplied) {
  Database database(path(), Access::read_write);
  constexpr std::array kSteps{Migration{1, "CREATE TABLE a(x)"}, Migration{2, "CREATE TABLE b(x)"}};
  migrate(database, std::span(kSteps).first(1));
  EXPECT_EQ(database.integer_of("PRAGMA user_version"), 1);
  migrate(database, kSteps);
  migrate(database, kSteps);
  EXPECT_EQ(database.integer_of("PRAGMA user_version"), 2);
}

TEST_F(MigrationsTest, AStepThatFailsHalfWayLeavesNothing) {
  Database database(path(), Access::read_write);
  constexpr std::array kSteps{Migration{1, "CREATE TABLE a(x)"},
                              Migration{2, "CREATE TABLE b(x); CREATE TABLE a(x)"}};
  EXPECT_THROW(migrate(database, kSteps), SqlError);
  EXPECT_FALSE(database.in_transaction());
  EXPECT_EQ(database.integer_of("PRAGMA user_version"), 1);
  EXPECT_EQ(database.integer_of("SELECT count(*) FROM sqlite_schema"), 1);
}

TEST_F(MigrationsTest, ANewerDatabaseIsRefused) {
  Database database(path(), Access::read_write);
  database.script("PRAGMA user_version = 3");
  constexpr std::array kSteps{Migration{1, "CREATE TABLE a(x)"}};
  EXPECT_EQ(error_id([&] { migrate(database, kSteps); }), "store.newer_schema");
  EXPECT_EQ(error_category([&] { migrate(database, kSteps); }), "config");
}

}  // namespace
}  // namespace estia::store::test
