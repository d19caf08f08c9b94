// SPDX-License-Identifier: Apache-2.0
// What may happen only once happens once, whoever else tries at the same moment (D5).
#include <mutex>
#include <set>

#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

constexpr std::size_t kThreads = 64;

class RaceTest : public StoreTest {
 protected:
  [[nodiscard]] ca::IntentOutcome ask(const ca::Intent& intent) {
    return store_->registry().intend(intent, event("certificate.intent", intent.serial));
  }

  std::unique_ptr<Store> store_ = create();
};

TEST_F(RaceTest, OfManyEqualRequestsOneIsRecordedAndTheOthersResumeIt) {
  std::mutex mutex;
  std::set<Bytes> recorded;
  std::multiset<Bytes> resumed;
  in_threads(kThreads, [&](std::size_t i) {
    ca::Intent intent = intent_of(i);
    intent.username = "device";
    intent.retry_key = Bytes(32, 7);
    const auto outcome = ask(intent);
    const std::lock_guard lock(mutex);
    if (std::holds_alternative<ca::Recorded>(outcome)) {
      recorded.insert(intent.serial);
    } else if (const auto* resume = std::get_if<ca::Resume>(&outcome)) {
      resumed.insert(resume->serial);
    }
  });
  ASSERT_EQ(recorded.size(), 1U);
  EXPECT_EQ(resumed.count(*recorded.begin()), kThreads - 1);
  EXPECT_EQ(sql_integer(path(), "SELECT count(*) FROM certificate"), 1);
  EXPECT_EQ(store_->verify_audit_chain(), 1U);
}

TEST_F(RaceTest, ASerialIsClaimedOnce) {
  std::atomic<int> recorded = 0;
  std::atomic<int> taken = 0;
  in_threads(kThreads, [&](std::size_t i) {
    ca::Intent intent = intent_of(i);
    intent.serial = serial_of(0);
    const auto outcome = ask(intent);
    recorded += std::holds_alternative<ca::Recorded>(outcome);
    const auto* refused = std::get_if<ca::Refused>(&outcome);
    taken += refused != nullptr && refused->id == "serial.taken";
  });
  EXPECT_EQ(recorded, 1);
  EXPECT_EQ(taken, static_cast<int>(kThreads) - 1);
  EXPECT_EQ(sql_integer(path(), "SELECT count(*) FROM end_entity"), 1);
}

TEST_F(RaceTest, TwoFirstCertificatesOfOneEndEntityAreBothRecorded) {
  std::atomic<int> recorded = 0;
  in_threads(2, [&](std::size_t i) {
    ca::Intent intent = intent_of(i);
    intent.username = "device";
    recorded += std::holds_alternative<ca::Recorded>(ask(intent));
  });
  EXPECT_EQ(recorded, 2);
  EXPECT_EQ(sql_integer(path(), "SELECT count(*) FROM end_entity"), 1);
}

TEST_F(RaceTest, OfManySignaturesForOneSerialOneIsReleased) {
  intend(*store_, intent_of(1));
  std::mutex mutex;
  std::set<Bytes> released;
  in_threads(kThreads, [&](std::size_t i) {
    const Bytes certificate(100 + i, static_cast<std::uint8_t>(i));
    const Bytes recorded = store_->registry().commit(serial_of(1), certificate,
                                                     event("certificate.issued", serial_of(1)));
    const std::lock_guard lock(mutex);
    released.insert(recorded);
  });
  ASSERT_EQ(released.size(), 1U);
  EXPECT_EQ(store_->registry().find(serial_of(1))->certificate, *released.begin());
  EXPECT_EQ(store_->verify_audit_chain(), 2U);
}

TEST_F(RaceTest, AnIntentEndsOnceAsIssuedOrAsFailed) {
  constexpr std::uint64_t kSerials = 40;
  for (std::uint64_t number = 0; number < kSerials; ++number) {
    intend(*store_, intent_of(number));
    std::string commit_error;
    in_threads(2, [&](std::size_t i) {
      if (i == 0) {
        commit_error = error_id([&] { static_cast<void>(commit(*store_, serial_of(number))); });
      } else {
        store_->registry().fail(serial_of(number), event("certificate.failed"));
      }
    });
    const bool issued =
        store_->registry().find(serial_of(number))->state == ca::CertificateState::issued;
    EXPECT_EQ(commit_error, issued ? "" : "registry.intent_closed") << number;
  }
  EXPECT_EQ(store_->verify_audit_chain(), kSerials * 2);
}

TEST_F(RaceTest, ACertificateIsRevokedOnce) {
  intend(*store_, intent_of(1));
  std::atomic<int> revoked = 0;
  in_threads(16, [&](std::size_t) {
    revoked +=
        error_id([&] {
          store_->registry().revoke(serial_of(1), {clock_.now(), 1}, event("certificate.revoked"));
        }).empty();
  });
  EXPECT_EQ(revoked, 1);
  EXPECT_EQ(store_->verify_audit_chain(), 2U);
}

TEST_F(RaceTest, ReadersSeeWholeRecordsWhileOthersWrite) {
  std::atomic<bool> done = false;
  in_threads(8, [&](std::size_t i) {
    if (i < 4) {
      for (std::uint64_t n = 0; n < 50; ++n) {
        const std::uint64_t number = i * 1000 + n;
        intend(*store_, intent_of(number));
        static_cast<void>(commit(*store_, serial_of(number)));
        EXPECT_EQ(store_->registry().find(serial_of(number))->state, ca::CertificateState::issued);
      }
      done = true;
      return;
    }
    do {
      const auto record = store_->registry().find(serial_of((i - 4) * 1000 + 25));
      if (record && record->state == ca::CertificateState::issued) {
        EXPECT_EQ(record->certificate, certificate_of(record->serial));
      }
      static_cast<void>(store_->verify_audit_chain());
    } while (!done);
  });
  EXPECT_EQ(store_->verify_audit_chain(), 400U);
}

}  // namespace
}  // namespace estia::store::test
