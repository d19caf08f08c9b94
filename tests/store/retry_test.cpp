// SPDX-License-Identifier: Apache-2.0
// A request that is sent again (EST-4.2.3-f): what Registry::intend makes of its retry key.
#include "server/ca/registry.h"
#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

using std::chrono::seconds;

class RetryTest : public StoreTest {
 protected:
  [[nodiscard]] static ca::Intent attempt(std::uint64_t number, seconds window = seconds(120)) {
    ca::Intent intent = intent_of(1);
    intent.serial = serial_of(number);
    intent.tbs = Bytes(100, static_cast<std::uint8_t>(number));
    intent.retry_key = Bytes(32, 0xAB);
    intent.retry_window = window;
    return intent;
  }
  [[nodiscard]] ca::IntentOutcome ask(const ca::Intent& intent) {
    return store_->registry().intend(intent, event("certificate.intent", intent.serial));
  }
  void expect_recorded(const ca::Intent& intent) {
    EXPECT_TRUE(std::holds_alternative<ca::Recorded>(ask(intent)));
  }
  void expect_issued_before(const ca::Intent& intent, std::uint64_t number) {
    const auto outcome = ask(intent);
    const auto* issued = std::get_if<ca::AlreadyIssued>(&outcome);
    ASSERT_NE(issued, nullptr) << "outcome " << outcome.index();
    EXPECT_EQ(issued->serial, serial_of(number));
    EXPECT_EQ(issued->certificate, certificate_of(serial_of(number)));
    EXPECT_FALSE(store_->registry().find(intent.serial)) << "nothing is recorded for the retry";
  }
  void expect_resume(const ca::Intent& intent, std::uint64_t number) {
    const auto outcome = ask(intent);
    const auto* resume = std::get_if<ca::Resume>(&outcome);
    ASSERT_NE(resume, nullptr) << "outcome " << outcome.index();
    EXPECT_EQ(resume->serial, serial_of(number));
    EXPECT_EQ(resume->tbs, Bytes(100, static_cast<std::uint8_t>(number)));
  }
  void revoke(std::uint64_t number) {
    store_->registry().revoke(serial_of(number), {clock_.now(), 0}, event("certificate.revoked"));
  }

  std::unique_ptr<Store> store_ = create();
};

TEST_F(RetryTest, WithinTheWindowTheSameCertificateIsGivenAgain) {
  expect_recorded(attempt(1));
  static_cast<void>(commit(*store_, serial_of(1)));
  clock_.advance(seconds(120));
  expect_issued_before(attempt(2), 1);
  EXPECT_EQ(store_->verify_audit_chain(), 2U) << "a retry changes nothing";
}

TEST_F(RetryTest, AfterTheWindowANewCertificateIsMade) {
  expect_recorded(attempt(1));
  static_cast<void>(commit(*store_, serial_of(1)));
  clock_.advance(seconds(120) + std::chrono::milliseconds(1));
  expect_recorded(attempt(2));
}

TEST_F(RetryTest, AWindowOfZeroIsOff) {
  expect_recorded(attempt(1, seconds(0)));
  static_cast<void>(commit(*store_, serial_of(1)));
  expect_recorded(attempt(2, seconds(0)));
}

TEST_F(RetryTest, TheWindowOfTheNewRequestCounts) {
  expect_recorded(attempt(1, seconds(0)));
  static_cast<void>(commit(*store_, serial_of(1)));
  clock_.advance(seconds(60));
  expect_issued_before(attempt(2, seconds(60)), 1);
  expect_recorded(attempt(3, seconds(59)));
}

TEST_F(RetryTest, AnOpenIntentIsResumedWhateverTheWindow) {
  expect_recorded(attempt(1, seconds(0)));
  clock_.advance(std::chrono::hours(24 * 365));
  expect_resume(attempt(2, seconds(0)), 1);
  EXPECT_FALSE(store_->registry().find(serial_of(2)));
}

TEST_F(RetryTest, AnIntentLeftByACrashIsResumedAfterReopening) {
  expect_recorded(attempt(1));
  store_.reset();
  store_ = open();
  expect_resume(attempt(2), 1);
}

TEST_F(RetryTest, AnEmptyKeyNeverMatches) {
  ca::Intent first = attempt(1);
  first.retry_key.clear();
  expect_recorded(first);
  ca::Intent second = attempt(2);
  second.retry_key.clear();
  expect_recorded(second);
}

TEST_F(RetryTest, AnotherKeyDoesNotMatch) {
  expect_recorded(attempt(1));
  ca::Intent other = attempt(2);
  other.retry_key.back() ^= 1U;
  expect_recorded(other);
}

TEST_F(RetryTest, AFailedIntentDoesNotMatch) {
  expect_recorded(attempt(1));
  store_->registry().fail(serial_of(1), event("certificate.failed"));
  expect_recorded(attempt(2));
}

TEST_F(RetryTest, BehindAFailedIntentTheOneBeforeItMatches) {
  expect_recorded(attempt(1));
  static_cast<void>(commit(*store_, serial_of(1)));
  expect_recorded(attempt(2, seconds(0)));
  store_->registry().fail(serial_of(2), event("certificate.failed"));
  expect_issued_before(attempt(3), 1);
}

TEST_F(RetryTest, ARevokedCertificateIsNotGivenAgain) {
  expect_recorded(attempt(1));
  static_cast<void>(commit(*store_, serial_of(1)));
  revoke(1);
  expect_recorded(attempt(2));
}

TEST_F(RetryTest, ARevokedOpenIntentIsNotResumed) {
  expect_recorded(attempt(1));
  revoke(1);
  expect_recorded(attempt(2));
}

TEST_F(RetryTest, TheNewestMatchCounts) {
  expect_recorded(attempt(1));
  static_cast<void>(commit(*store_, serial_of(1)));
  clock_.advance(seconds(121));
  expect_recorded(attempt(2));
  static_cast<void>(commit(*store_, serial_of(2)));
  clock_.advance(seconds(-100));
  expect_issued_before(attempt(3), 2);
}

TEST_F(RetryTest, ARetryOfARenewalFindsItsCertificate) {
  intend(*store_, intent_of(1));
  ca::Intent renewal = attempt(2);
  renewal.entity.rule = ca::EntityRule::must_exist;
  expect_recorded(renewal);
  static_cast<void>(commit(*store_, serial_of(2)));
  renewal.serial = serial_of(3);
  expect_issued_before(renewal, 2);
}

}  // namespace
}  // namespace estia::store::test
