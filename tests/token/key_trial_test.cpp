// SPDX-License-Identifier: Apache-2.0
// A key that rests because its signatures failed is tried meanwhile, without consequences.
#include <future>

#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

class KeyTrials : public RecoveryTest {
 protected:
  explicit KeyTrials(Signing signing = Signing::native)
      : RecoveryTest(std::chrono::seconds(60), {.signing = signing}) {
    EXPECT_TRUE(signs_now());
  }

  using Clock = std::chrono::steady_clock;
  static constexpr unsigned long kForEver = 1'000'000;

  void ask() const {
    EXPECT_NE(refused(), "none");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  /// Each of its attempts after a rest has the module restarted once, and begins a rest that is
  /// twice as long.
  void fail_until_restart(unsigned long wanted) {
    shim_.fail("C_SignInit", CKR_DEVICE_REMOVED, kForEver);
    while (restarts() < wanted) {
      ask();
    }
  }
  [[nodiscard]] unsigned long restarts() { return said("lost"); }
  [[nodiscard]] unsigned long said(const std::string& words) {
    const std::string all = events();
    unsigned long count = 0;
    for (std::size_t at = all.find(words); at != std::string::npos; at = all.find(words, at + 1)) {
      ++count;
    }
    return count;
  }
  /// The attempts of ask() that cost no restart.
  [[nodiscard]] unsigned quiet_trials(unsigned most_restarts) {
    unsigned quiet = 0;
    while (quiet < 2 && restarts() < most_restarts) {
      const unsigned long attempts = shim_.calls("C_SignInit");
      const unsigned long before = restarts();
      ask();
      quiet += shim_.calls("C_SignInit") > attempts && restarts() == before ? 1U : 0U;
    }
    return quiet;
  }
  /// With the token well again, `served` is asked until it says yes: once at least, in rests of
  /// eight seconds and more, before the rest is over.
  void expect_an_earlier_end(const std::function<bool()>& served) {
    for (const unsigned long rest : {8UL, 16UL, 30UL}) {
      fail_until_restart(restarts() + 4 + (rest > 8 ? 1U : 0U) + (rest > 16 ? 1U : 0U));
      const Clock::time_point over = Clock::now() + std::chrono::seconds(rest / 2);
      const unsigned long before = restarts();
      shim_.fail("C_SignInit", CKR_DEVICE_REMOVED, 0);
      while (!served()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
      const bool earlier = Clock::now() < over;
      EXPECT_EQ(restarts(), before);
      EXPECT_TRUE(signs_now());
      if (earlier) {
        return;
      }
    }
    ADD_FAILURE() << "each rest lasted to its end";
  }
};

/// Found in review: each attempt costs a restart, and those are rightly rare.
TEST_F(KeyTrials, HaveNoConsequences) {
  fail_until_restart(4);
  EXPECT_EQ(quiet_trials(7), 2U);
  EXPECT_LE(restarts(), 6U);
}

/// Found in review: with a token that was well again enrolment was 503 for half a minute.
TEST_F(KeyTrials, EndTheRest) {
  expect_an_earlier_end([&] { return refused() == "none"; });
  EXPECT_EQ(said("key_refused"), said("key_found")) << events();
}

/// Nobody is sent to a node whose readiness is red.
TEST_F(KeyTrials, AreMadeForHealthToo) {
  expect_an_earlier_end([&] {
    static_cast<void>(token_->probe());
    return token_->keys().at(0).ready;
  });
}

/// What says nothing of the token itself is looked into at most once for each rest.
TEST_F(KeyTrials, OfAFailureThatSaysNothingEndTheRest) {
  shim_.fail("C_Sign", CKR_DEVICE_ERROR, kForEver);
  while (events().find("key_refused") == std::string::npos) {
    ask();
  }
  unsigned quiet = 0;
  while (quiet < 2) {  // ends with the time limit of the test if there are none
    const auto errors = [&] {
      const auto all = token_->statistics().errors;
      return all.at("CKR_DEVICE_ERROR (0x30)");
    };
    const std::uint64_t before = errors();
    ask();
    quiet += errors() > before ? 1U : 0U;
  }
  shim_.fail("C_Sign", CKR_DEVICE_ERROR, 0);
  while (refused() != "none") {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_LE(restarts(), 1U) << "once a minute";
}

/// One that hangs draws nobody in.
TEST_F(KeyTrials, AreMadeByOneAtATime) {
  fail_until_restart(4);
  shim_.fail("C_SignInit", CKR_DEVICE_REMOVED, 0);
  shim_.close_gate("C_SignInit");
  auto trial = std::async(std::launch::async, [&] {
    std::string said = refused();
    while (said != "none") {
      said = refused();
    }
  });
  shim_.wait_in_flight("C_SignInit", 1);
  const unsigned long before = shim_.calls("C_SignInit");
  for (int i = 0; i < 20; ++i) {
    EXPECT_NE(refused(), "none");
  }
  EXPECT_EQ(shim_.calls("C_SignInit"), before);
  shim_.open_gate("C_SignInit");
  trial.get();
  EXPECT_TRUE(signs_now());
}

#ifndef ESTIA_WITHOUT_PKCS11_PROVIDER
class KeyTrialsByProvider : public KeyTrials {
 protected:
  KeyTrialsByProvider() : KeyTrials(Signing::pkcs11_provider) {}
};

TEST_F(KeyTrialsByProvider, HaveNoConsequences) {
  fail_until_restart(4);
  EXPECT_EQ(quiet_trials(7), 2U);
}

TEST_F(KeyTrialsByProvider, EndTheRest) {
  expect_an_earlier_end([&] { return refused() == "none"; });
}
#endif

}  // namespace
}  // namespace estia::hsm
