// SPDX-License-Identifier: Apache-2.0
// A profile that allows an end entity one active certificate: a new one supersedes the older ones,
// in the transaction that records it as issued.
#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

class SingleActiveTest : public StoreTest {
 protected:
  /// Certificate `number` of one end entity.
  [[nodiscard]] static ca::Intent wanted(std::uint64_t number, bool single_active = true) {
    ca::Intent intent = intent_of(number);
    intent.username = "device";
    intent.entity.subject = intent_of(0).entity.subject;
    intent.uniqueness.single_active = single_active;
    return intent;
  }
  void issue(std::uint64_t number, bool single_active = true) {
    intend(*store_, wanted(number, single_active));
    static_cast<void>(commit(*store_, serial_of(number)));
  }
  /// The reason it is revoked for, -1 if it is not.
  [[nodiscard]] int reason(std::uint64_t number) {
    const auto record = store_->registry().find(serial_of(number));
    return record->revocation ? record->revocation->reason : -1;
  }
  [[nodiscard]] std::int64_t active() {
    return sql_integer(path(),
                       "SELECT count(*) FROM certificate WHERE state = 'issued' AND "
                       "revoked_at IS NULL");
  }
  void revoke(std::uint64_t number, int reason) {
    store_->registry().revoke(serial_of(number), {clock_.now(), reason},
                              event("certificate.revoked"));
  }

  std::unique_ptr<Store> store_ = create();
};

TEST_F(SingleActiveTest, ANewCertificateSupersedesTheOlderOnes) {
  issue(1, false);
  issue(2, false);
  EXPECT_EQ(active(), 2) << "not asked for";
  issue(3);
  EXPECT_EQ(reason(1), ca::kSuperseded);
  EXPECT_EQ(reason(2), ca::kSuperseded);
  EXPECT_EQ(reason(3), -1);
  EXPECT_EQ(store_->registry().find(serial_of(1))->revocation->at, clock_.now());
}

TEST_F(SingleActiveTest, EachIsAuditedWithItsSuccessor) {
  issue(1, false);
  issue(2, false);
  issue(3);
  EXPECT_EQ(sql_integer(path(), "SELECT count(*) FROM audit WHERE what = 'certificate.revoked'"),
            2);
  EXPECT_EQ(sql_text(path(),
                     "SELECT who || '|' || outcome || '|' || detail FROM audit WHERE "
                     "what = 'certificate.revoked' AND object = '" +
                         to_hex(serial_of(2)) + "'"),
            "account est/ra|ok|reason=superseded by=" + to_hex(serial_of(3)));
  EXPECT_EQ(store_->verify_audit_chain(), 8U);
}

TEST_F(SingleActiveTest, NothingIsRevokedBeforeTheNewOneIsIssued) {
  issue(1);
  intend(*store_, wanted(2));
  EXPECT_EQ(reason(1), -1);
  store_->registry().fail(serial_of(2), event("certificate.failed"));
  EXPECT_EQ(reason(1), -1) << "a failure leaves the device what it had";
}

TEST_F(SingleActiveTest, OtherEndEntitiesProfilesAndCasAreLeftAlone) {
  ca::Intent other = wanted(1);
  other.username = "device-b";
  intend(*store_, other);
  static_cast<void>(commit(*store_, serial_of(1)));
  other = wanted(2);
  other.entity.rule = ca::EntityRule::none;
  other.profile = "other";
  intend(*store_, other);
  static_cast<void>(commit(*store_, serial_of(2)));
  other = wanted(3);
  other.entity.rule = ca::EntityRule::none;
  other.ca = "sister";
  intend(*store_, other);
  static_cast<void>(commit(*store_, serial_of(3)));
  issue(4);
  EXPECT_EQ(active(), 4);
}

TEST_F(SingleActiveTest, WithoutAUsernameNothingIsSuperseded) {
  for (std::uint64_t number = 1; number <= 2; ++number) {
    ca::Intent own = wanted(number);
    own.username.clear();
    own.entity.rule = ca::EntityRule::none;
    intend(*store_, own);
    static_cast<void>(commit(*store_, serial_of(number)));
  }
  EXPECT_EQ(active(), 2);
}

TEST_F(SingleActiveTest, RevokedExpiredAndFailedOnesStayWhatTheyAre) {
  issue(1);
  revoke(1, 1);
  ca::Intent expired = wanted(2);
  expired.not_after = clock_.now() - std::chrono::hours(24 * 31);
  intend(*store_, expired);
  static_cast<void>(commit(*store_, serial_of(2)));
  // Found by a maintainer: one that expired a while ago could renew again and again in its grace.
  ca::Intent in_grace = wanted(5);
  in_grace.not_after = clock_.now() - std::chrono::hours(24 * 29);
  intend(*store_, in_grace);
  static_cast<void>(commit(*store_, serial_of(5)));
  intend(*store_, wanted(3));
  store_->registry().fail(serial_of(3), event("certificate.failed"));
  issue(4);
  EXPECT_EQ(reason(1), 1);
  EXPECT_EQ(reason(2), -1);
  EXPECT_EQ(reason(5), ca::kSuperseded);
  EXPECT_EQ(reason(3), -1);
}

TEST_F(SingleActiveTest, ACertificateOnHoldIsSupersededForGood) {
  issue(1);
  revoke(1, ca::kCertificateHold);
  issue(2);
  EXPECT_EQ(reason(1), ca::kSuperseded);
  EXPECT_EQ(
      error_id([&] { store_->registry().release(serial_of(1), event("certificate.released")); }),
      "registry.not_held");
}

TEST_F(SingleActiveTest, ANewOneThatWasRevokedMeanwhileSupersedesNothing) {
  issue(1);
  intend(*store_, wanted(2));
  revoke(2, 1);
  static_cast<void>(commit(*store_, serial_of(2)));
  EXPECT_EQ(reason(1), -1);
  // One on hold may come back: there must be no second one then.
  intend(*store_, wanted(3));
  revoke(3, ca::kCertificateHold);
  static_cast<void>(commit(*store_, serial_of(3)));
  EXPECT_EQ(reason(1), ca::kSuperseded);
}

TEST_F(SingleActiveTest, AnOlderIntentThatIsStillOpenIsSupersededToo) {
  issue(1);
  intend(*store_, wanted(2));
  issue(3);
  EXPECT_EQ(reason(1), ca::kSuperseded);
  EXPECT_EQ(reason(2), ca::kSuperseded) << "a signature may exist";
  static_cast<void>(commit(*store_, serial_of(2)));
  EXPECT_EQ(reason(2), ca::kSuperseded);
  EXPECT_EQ(reason(3), -1) << "the older one came late";
}

TEST_F(SingleActiveTest, ANewerIntentIsNotSupersededByAnOlderOne) {
  intend(*store_, wanted(1));
  intend(*store_, wanted(2));
  static_cast<void>(commit(*store_, serial_of(1)));
  EXPECT_EQ(reason(1), -1) << "all the device has so far";
  EXPECT_EQ(reason(2), -1);
  static_cast<void>(commit(*store_, serial_of(2)));
  EXPECT_EQ(reason(1), ca::kSuperseded);
  EXPECT_EQ(reason(2), -1);
}

TEST_F(SingleActiveTest, ACrashBetweenIntentAndResultLosesNeitherCertificateNorRule) {
  issue(1);
  ca::Intent second = wanted(2);
  second.retry_key = Bytes(32, 7);
  intend(*store_, second);
  store_.reset();
  store_ = open();
  EXPECT_EQ(reason(1), -1) << "the device still has a certificate";
  // The repetition resumes what was recorded, with the rule of then.
  second.serial = serial_of(3);
  second.uniqueness.single_active = false;
  const auto outcome = store_->registry().intend(second, event("certificate.intent"));
  ASSERT_TRUE(std::holds_alternative<ca::Resume>(outcome));
  static_cast<void>(commit(*store_, std::get<ca::Resume>(outcome).serial));
  EXPECT_EQ(reason(1), ca::kSuperseded);
  EXPECT_EQ(reason(2), -1);
}

TEST_F(SingleActiveTest, AnAnswerThatIsRepeatedRevokesNothing) {  // EST-4.2.3-f
  ca::Intent first = wanted(1);
  first.retry_key = Bytes(32, 7);
  first.retry_window = std::chrono::seconds(120);
  intend(*store_, first);
  static_cast<void>(commit(*store_, serial_of(1)));
  first.serial = serial_of(2);
  EXPECT_TRUE(std::holds_alternative<ca::AlreadyIssued>(
      store_->registry().intend(first, event("certificate.intent"))));
  // A second signature over the same intent comes late.
  issue(3, false);
  static_cast<void>(commit(*store_, serial_of(1)));
  EXPECT_EQ(active(), 2);
}

TEST_F(SingleActiveTest, OfRacingEnrolmentsOneStaysActive) {
  constexpr std::size_t kThreads = 16;
  constexpr std::uint64_t kRounds = 10;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    in_threads(kThreads, [&](std::size_t i) { issue(round * kThreads + i); });
    EXPECT_EQ(active(), 1) << round;
  }
  // Each is issued once, all but the last are superseded once.
  EXPECT_EQ(store_->verify_audit_chain(), kRounds * kThreads * 3 - 1);
}

}  // namespace
}  // namespace estia::store::test
