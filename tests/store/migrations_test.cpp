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

/// What the first release's schema may hold: one username in two spellings and at two CAs.
TEST_F(MigrationsTest, OneUsernameBecomesOneEndEntityAndNoCertificateLosesItsOwner) {
  Database database(path(), Access::read_write);
  migrate(database, migrations().first(1));
  database.script(R"sql(
    INSERT INTO end_entity VALUES('Device-1', 'issuing', 1, x'01'), ('device-1', 'sister', 2, x'02'),
      ('DEVICE-1', 'issuing', 3, x'03'), ('two  words', 'issuing', 4, NULL);
    INSERT INTO certificate(serial, ca, alias, username, operation, profile, config_version, who,
      subject, subject_text, key_fingerprint, tbs, state, not_before, not_after, recorded_at, boot_id)
    VALUES(x'01', 'issuing', '', 'Device-1', '', '', 1, '', x'', '', x'', x'00', 'intended', 0, 0, 0, x''),
      (x'02', 'sister', '', 'device-1', '', '', 1, '', x'', '', x'', x'00', 'intended', 0, 0, 0, x''),
      (x'03', 'issuing', '', 'DEVICE-1', '', '', 1, '', x'', '', x'', x'00', 'intended', 0, 0, 0, x''),
      (x'04', 'issuing', '', '', '', '', 1, '', x'', '', x'', x'00', 'intended', 0, 0, 0, x'');
    INSERT INTO configuration VALUES(1, '[[alias]]
name = "a"
username_field = "dnQualifier"
retry_window = "2m"

[[alias]]
username_field = "SN"
', 0, '');
  )sql");
  migrate(database, migrations());
  EXPECT_EQ(database.text_of("SELECT group_concat(username, '|') FROM "
                             "(SELECT username FROM end_entity ORDER BY username_key)"),
            "Device-1|device-1 of sister|two  words");
  EXPECT_EQ(database.text_of("SELECT username_key FROM end_entity WHERE username = 'two  words'"),
            "two words");
  EXPECT_EQ(database.text_of("SELECT group_concat(username, '|') FROM "
                             "(SELECT username FROM certificate ORDER BY serial)"),
            "Device-1|device-1 of sister|Device-1|");
  // Any attribute could stand there; what lists call SURNAME is OpenSSL's SN.
  EXPECT_EQ(
      database.text_of("SELECT document FROM configuration"),
      "[[alias]]\nname = \"a\"\nname_parameters = [\"dnQualifier\"]\nretry_window = \"2m\"\n\n"
      "[[alias]]\nname_parameters = [\"SURNAME\"]\n");
}

TEST_F(MigrationsTest, CertificatesOfBeforeUniquenessSupersedeNothing) {
  Database database(path(), Access::read_write);
  migrate(database, migrations().first(2));
  database.script(R"sql(
    INSERT INTO certificate(serial, ca, alias, username, operation, profile, config_version, who,
      subject, subject_text, key_fingerprint, tbs, state, not_before, not_after, recorded_at, boot_id)
    VALUES(x'01', 'issuing', '', 'a', '', '', 1, '', x'', '', x'', x'00', 'intended', 0, 0, 0, x''),
      (x'02', 'issuing', '', 'b', '', '', 1, '', x'', '', x'', x'00', 'intended', 0, 0, 0, x'');
  )sql");
  migrate(database, migrations());
  EXPECT_EQ(database.integer_of("SELECT count(*) FROM certificate WHERE single_active = 0"), 2);
  EXPECT_EQ(database.integer_of("SELECT count(*) FROM uniqueness_lock"), 0);
}

}  // namespace
}  // namespace estia::store::test
