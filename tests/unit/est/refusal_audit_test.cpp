// SPDX-License-Identifier: Apache-2.0
#include "server/est/refusal_audit.h"

#include <gtest/gtest.h>

#include "tests/unit/est/est_fixture.h"

namespace estia::est {
namespace {

class SetClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return at; }
  Instant at = from_unix_seconds(1'790'000'000);
};

class RefusalAuditTest : public testing::Test {
 protected:
  void refuse(const std::string& who, const char* id = "enroll.outside_scope",
              ErrorCode code = ErrorCode::forbidden) {
    audit.record({.who = who,
                  .alias = "est",
                  .operation = "simpleenroll",
                  .request = "r1",
                  .address = "192.0.2.7"},
                 Error(code, id, "no"));
  }

  SetClock clock;
  KeptEvents log;
  RefusalAudit audit{log, clock};
};

TEST_F(RefusalAuditTest, TheFirstOfItsKindIsWrittenWithWhoWhereAndWhy) {
  refuse("account est/ra");
  ASSERT_EQ(log.events.size(), 1U);
  EXPECT_EQ(log.events[0].who, "account est/ra");
  EXPECT_EQ(log.events[0].what, "request.refused");
  EXPECT_EQ(log.events[0].outcome, "enroll.outside_scope");
  EXPECT_EQ(log.events[0].object, "est/simpleenroll");
  EXPECT_EQ(log.events[0].detail, "request=r1 address=192.0.2.7");
  refuse("account est/ra", "linking.required");
  refuse("account est/other");
  refuse("");
  ASSERT_EQ(log.events.size(), 4U);
  EXPECT_EQ(log.events[3].who, "nobody");
}

TEST_F(RefusalAuditTest, RepetitionsAreOneRowAMinuteLater) {
  for (int i = 0; i < 1000; ++i) {
    refuse("");
  }
  EXPECT_EQ(log.events.size(), 1U) << "nobody who proved nothing can fill the trail";
  clock.at += std::chrono::seconds(60);
  refuse("");
  ASSERT_EQ(log.events.size(), 3U);
  EXPECT_EQ(log.events[1].detail, "repeats=999 since=2026-09-21T14:13:20Z");
  EXPECT_EQ(log.events[2].detail, "request=r1 address=192.0.2.7");
  refuse("");
  audit.flush();
  ASSERT_EQ(log.events.size(), 4U) << "what is only counted is written at the end";
  EXPECT_EQ(log.events[3].detail.substr(0, 9), "repeats=1");
  audit.flush();
  EXPECT_EQ(log.events.size(), 4U);
}

TEST_F(RefusalAuditTest, ManyKindsBecomeOne) {
  for (int i = 0; i < 5000; ++i) {
    refuse("certificate " + std::to_string(i));
  }
  EXPECT_EQ(log.events.size(), 1001U);
  EXPECT_EQ(log.events.back().outcome, "many");
  audit.flush();
  EXPECT_EQ(log.events.size(), 1002U);
  EXPECT_EQ(log.events.back().detail.substr(0, 12), "repeats=3999");
}

TEST_F(RefusalAuditTest, AChallengeAndOurOwnFailuresAreNoRefusals) {
  refuse("", "auth.required", ErrorCode::unauthenticated);
  refuse("account est/ra", "token.gone", ErrorCode::token);
  refuse("account est/ra", "store.failed", ErrorCode::store);
  refuse("account est/ra", "issuer.lint", ErrorCode::internal);
  EXPECT_TRUE(log.events.empty());
  refuse("", "auth.required");
  refuse("", "auth.wrong_password", ErrorCode::unauthenticated);
  EXPECT_EQ(log.events.size(), 2U);
}

TEST_F(RefusalAuditTest, AStoreThatFailsChangesNoRefusal) {
  log.fails = true;
  EXPECT_NO_THROW(refuse("account est/ra"));
  EXPECT_NO_THROW(audit.flush());
}

TEST_F(RefusalAuditTest, AClockSetBackKeepsNoKindForEver) {
  refuse("");
  refuse("");
  clock.at -= std::chrono::hours(5);
  refuse("");
  EXPECT_EQ(log.events.size(), 3U) << "what was counted, and the first of a new minute";
}

}  // namespace
}  // namespace estia::est
