// SPDX-License-Identifier: Apache-2.0
// Recovery while calls of the module do not come back.
#include <future>

#include "crypto/base/secure_bytes.h"
#include "hsm/server_keys.h"
#include "tests/support/fake_clock.h"
#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

using std::chrono::milliseconds;

class Drain : public RecoveryTest {
 protected:
  Drain() : RecoveryTest(milliseconds(300)) {}
};

/// C_Finalize while a call is out crashes some modules.
TEST_F(Drain, TheModuleIsNotFinalisedWhileACallIsOut) {
  shim_.close_gate("C_Sign");
  auto hangs = std::async(std::launch::async, [&] { return signs_now(); });
  shim_.wait_in_flight("C_Sign", 1);
  shim_.fail("C_SignInit", CKR_DEVICE_REMOVED, 2);
  EXPECT_NE(refused(), "none");
  wait_until(TokenState::away);
  EXPECT_NE(token_->probe().why.find("token.stuck"), std::string::npos);
  EXPECT_EQ(shim_.calls("C_Finalize"), 0U);
  EXPECT_EQ(refused(), "token token.stuck");
  shim_.open_gate("C_Sign");
  static_cast<void>(test::refusal([&] { static_cast<void>(hangs.get()); }));
  wait_until(TokenState::attached);
  EXPECT_TRUE(signs_now());
  EXPECT_EQ(shim_.calls("C_Finalize"), 1U);
}

/// Found as a hole: keys for clients were made without holding the module.
TEST_F(Drain, TheModuleIsNotFinalisedWhileAKeyIsMade) {
  open_secure_heap(4U << 20U);
  test::FakeClock clock;
  ServerKeys keys(*token_, {}, clock);
  shim_.close_gate("C_GenerateKeyPair");
  auto making = std::async(std::launch::async, [&] {
    return test::refusal([&] { static_cast<void>(keys.generate(spec("P-256"))); });
  });
  shim_.wait_in_flight("C_GenerateKeyPair", 1);
  shim_.fail("C_SignInit", CKR_DEVICE_REMOVED, 2);
  EXPECT_NE(refused(), "none");
  wait_until(TokenState::away);
  EXPECT_EQ(shim_.calls("C_Finalize"), 0U);
  shim_.open_gate("C_GenerateKeyPair");
  static_cast<void>(making.get());
  wait_until(TokenState::attached);
  EXPECT_TRUE(signs_now());
}

/// Found as a hole: sessions were closed under the lock that every operation takes.
TEST_F(Drain, ASessionThatDoesNotCloseKeepsNobodyWaiting) {
  shim_.close_gate("C_CloseSession");
  shim_.fail("C_Login", CKR_PIN_INCORRECT);
  shim_.fail("C_SignInit", CKR_SESSION_HANDLE_INVALID);
  auto lost = std::async(std::launch::async, [&] { return refused(); });
  shim_.wait_in_flight("C_CloseSession", 1);  // rung 1 hangs; others go on
  EXPECT_TRUE(signs_now());
  shim_.open_gate("C_CloseSession");
  EXPECT_EQ(lost.get(), "none");
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
  EXPECT_EQ(refused(), "token token.pin_refused");
}

/// Found as a hole: each request waited anew while the login hung.
TEST_F(Drain, ALoginThatHangsIsWaitedForOnce) {
  shim_.close_gate("C_Login");
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
  EXPECT_EQ(refused(), "token token.recovering");
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(refused(), "token token.recovering");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(100))
      << "a thousand waits would be 300 s";
  shim_.open_gate("C_Login");
  wait_until(TokenState::attached);
  EXPECT_TRUE(signs_now());
}

class Stuck : public RecoveryTest {
 protected:
  explicit Stuck(Signing signing = Signing::native)
      : RecoveryTest(milliseconds(300),
                     {.max_sessions = 4, .call_limit = milliseconds(100), .signing = signing}) {}

  /// Two of four sessions, unless one is enough. `also` is let go with them.
  void expect_calls_that_hang_to_end_it(
      const std::function<void()>& also = [] {}, unsigned calls = 2) {
    shim_.close_gate("C_Sign");
    std::vector<std::future<bool>> hanging;
    for (unsigned i = 0; i < calls; ++i) {
      hanging.push_back(std::async(std::launch::async, [&] { return signs_now(); }));
    }
    shim_.wait_in_flight("C_Sign", calls);
    wait_until(TokenState::away);
    EXPECT_EQ(refused(), "token token.stuck");
    EXPECT_EQ(shim_.calls("C_Finalize"), 0U);
    // Found in review: nothing noticed it. Nor does it depend on the thread that recovers.
    while (Module::load(config_.module, {})->attachments() > 0) {
      std::this_thread::sleep_for(milliseconds(2));
    }
    shim_.open_gate("C_Sign");
    also();
    for (auto& call : hanging) {
      static_cast<void>(test::refusal([&] { static_cast<void>(call.get()); }));
    }
    wait_until(TokenState::attached);
    EXPECT_TRUE(signs_now());
    EXPECT_EQ(token_->probe().restarts, 1U);
  }
};

/// Each call that hangs takes a worker: before they take all, nobody else goes in.
TEST_F(Stuck, HalfOfTheSessionsInCallsThatHangEndItForTheOthers) {
  expect_calls_that_hang_to_end_it();
}

#ifndef ESTIA_WITHOUT_PKCS11_PROVIDER
class StuckInProvider : public Stuck {
 protected:
  StuckInProvider() : Stuck(Signing::pkcs11_provider) {}
};

/// Found in review: only our own sessions were watched.
TEST_F(StuckInProvider, HalfOfTheSessionsInCallsThatHangEndItForTheOthers) {
  expect_calls_that_hang_to_end_it();
}
#endif

/// Found in review: the thread that looked after the token was the one that watched for such calls.
TEST_F(Stuck, CallsThatHangAreSeenWhileALookAtTheTokenHangs) {
  shim_.close_gate("C_GetSessionInfo");
  shim_.fail("C_Sign", CKR_GENERAL_ERROR);
  EXPECT_EQ(refused(), "token token.failed");
  shim_.wait_in_flight("C_GetSessionInfo", 1);
  // The key's place is in doubt: it is looked for, and all who want it wait for that one.
  expect_calls_that_hang_to_end_it([&] { shim_.open_gate("C_GetSessionInfo"); }, 1);
}

/// Nobody else has the key meanwhile: one call holds up everybody, whatever sessions are left.
TEST_F(Stuck, ALookForAKeyThatHangsEndsItForTheOthers) {
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN);
  EXPECT_TRUE(signs_now());
  shim_.fail("C_SignInit", CKR_OBJECT_HANDLE_INVALID, 2);
  shim_.close_gate("C_FindObjects");
  auto looks = std::async(std::launch::async, [&] { return signs_now(); });
  shim_.wait_in_flight("C_FindObjects", 1);
  wait_until(TokenState::away);
  EXPECT_EQ(refused(), "token token.stuck");
  EXPECT_NE(token_->probe().why.find("a key is looked for"), std::string::npos);
  shim_.open_gate("C_FindObjects");
  static_cast<void>(test::refusal([&] { static_cast<void>(looks.get()); }));
  wait_until(TokenState::attached);
  EXPECT_TRUE(signs_now());
}

class LongLook : public RecoveryTest {
 protected:
  LongLook()
      : RecoveryTest(std::chrono::seconds(60),
                     {.max_sessions = 8, .call_limit = milliseconds(100)}) {}
};

/// Found in review: nothing noticed a limit without the sessions that it may wait for.
TEST_F(LongLook, ForAKeyMayWaitForSessionsThreeTimes) {
  EXPECT_TRUE(signs_now());
  shim_.close_gate("C_FindObjects");
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
  auto looks = std::async(std::launch::async, [&] { return refused(); });
  shim_.wait_in_flight("C_FindObjects", 1);
  std::this_thread::sleep_for(milliseconds(2500));  // it is watched every second
  EXPECT_EQ(events(), "attached lost attached");
  shim_.open_gate("C_FindObjects");
  EXPECT_EQ(looks.get(), "none");
}

/// Found in review: nobody was told.
TEST_F(Stuck, ALoginThatHangsIsSaid) {
  shim_.close_gate("C_Login");
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
  EXPECT_EQ(refused(), "token token.recovering");
  wait_until(TokenState::away);
  EXPECT_EQ(refused(), "token token.stuck");
  EXPECT_EQ(events(), "attached lost away");
  shim_.open_gate("C_Login");
  wait_until(TokenState::attached);
  EXPECT_TRUE(signs_now());
}

/// Found in review: estiad did not start, and not even SIGTERM ended it.
TEST_F(Stuck, ATokenThatIsSilentAtTheStartIsWaitedForLater) {
  shim_.close_gate("C_Login");
  const auto later = Token::attach(config_);
  EXPECT_EQ(later->probe().state, TokenState::away);
  EXPECT_NE(later->probe().why.find("token.stuck"), std::string::npos) << later->probe().why;
  shim_.open_gate("C_Login");
  while (later->probe().state != TokenState::attached) {
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_TRUE(signs(later->key(later->uri_of("ca"))));
}

/// Found in review: three failures that tell nothing took the token away while a key was made.
TEST_F(Stuck, ALongCallIsNotCutOffForAGuess) {
  shim_.close_gate("C_GenerateKeyPair");
  auto making =
      std::async(std::launch::async, [&] { return token_->generate(spec("P-256"), "slow"); });
  shim_.wait_in_flight("C_GenerateKeyPair", 1);
  for (int i = 0; i < 3; ++i) {
    shim_.fail("C_Sign", CKR_GENERAL_ERROR);
    EXPECT_NE(refused(), "none");
  }
  while (refused() != "none") {
  }
  std::this_thread::sleep_for(milliseconds(1500));  // longer than silence is waited for
  EXPECT_EQ(shim_.calls("C_Finalize"), 0U);
  shim_.open_gate("C_GenerateKeyPair");
  EXPECT_TRUE(signs(making.get()));
  EXPECT_EQ(token_->probe().restarts, 0U);
}

class FewCallers : public RecoveryTest {
 protected:
  FewCallers() : RecoveryTest(milliseconds(300), {.call_limit = milliseconds(100), .callers = 2}) {}
};

/// One of two workers: what sessions the token would have left is nothing to the clients.
TEST_F(FewCallers, HalfOfThemInCallsThatHangEndItForTheOthers) {
  shim_.close_gate("C_Sign");
  auto hangs = std::async(std::launch::async, [&] { return signs_now(); });
  shim_.wait_in_flight("C_Sign", 1);
  wait_until(TokenState::away);
  shim_.open_gate("C_Sign");
  static_cast<void>(test::refusal([&] { static_cast<void>(hangs.get()); }));
  wait_until(TokenState::attached);
}

class AllHang : public RecoveryTest {
 protected:
  explicit AllHang(Signing signing = Signing::native)
      : RecoveryTest(milliseconds(300), {.max_sessions = 64, .signing = signing, .callers = 2}) {}
  [[nodiscard]] std::string detail_of_a_refusal() const {
    try {
      static_cast<void>(signs_now());
    } catch (const Error& error) {
      return error.id() + " " + error.detail();
    }
    return "none";
  }
  /// Found in review: workers went in after them until none was left, to other tokens either.
  void expect_that_nobody_else_goes_in() {
    const unsigned long before = shim_.calls("C_Sign");
    shim_.close_gate("C_Sign");
    std::vector<std::future<bool>> hanging;
    for (int i = 0; i < 2; ++i) {
      hanging.push_back(std::async(std::launch::async, [&] { return signs_now(); }));
    }
    shim_.wait_in_flight("C_Sign", 2);
    std::this_thread::sleep_for(milliseconds(400));  // longer than anybody waits for a session
    EXPECT_EQ(detail_of_a_refusal(),
              "token.sessions_exhausted 2 calls have not come back for long");
    EXPECT_EQ(shim_.calls("C_Sign"), before + 2U);
    shim_.open_gate("C_Sign");
    for (auto& call : hanging) {
      EXPECT_TRUE(call.get());
    }
    EXPECT_TRUE(signs_now());
  }
};

TEST_F(AllHang, NobodyElseGoesIn) {
  expect_that_nobody_else_goes_in();
}

#ifndef ESTIA_WITHOUT_PKCS11_PROVIDER
class AllHangInProvider : public AllHang {
 protected:
  AllHangInProvider() : AllHang(Signing::pkcs11_provider) {}
};

/// Found in review: each waited for a session first, with its worker.
TEST_F(AllHangInProvider, NobodyElseGoesIn) {
  expect_that_nobody_else_goes_in();
}
#endif

/// Found in review: with each login the count began anew, until all workers hung.
TEST_F(Stuck, CallsThatHangInAnEarlierLoginCountToo) {
  const auto make = [&](const char* label) {
    return std::async(std::launch::async, [this, label] {
      return test::refusal([&] { static_cast<void>(token_->generate(spec("P-256"), label)); });
    });
  };
  shim_.close_gate("C_GenerateKeyPair");
  auto first = make("first");
  shim_.wait_in_flight("C_GenerateKeyPair", 1);
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
  EXPECT_TRUE(signs_now());
  EXPECT_EQ(token_->probe().logins, 2U);
  auto second = make("second");
  shim_.wait_in_flight("C_GenerateKeyPair", 2);
  wait_until(TokenState::away);
  EXPECT_EQ(refused(), "token token.stuck");
  shim_.open_gate("C_GenerateKeyPair");
  static_cast<void>(first.get());
  static_cast<void>(second.get());
  wait_until(TokenState::attached);
  EXPECT_TRUE(signs_now());
}

class QuietToken : public RecoveryTest {
 protected:
  QuietToken() : RecoveryTest(milliseconds(300), {.call_limit = milliseconds(1000)}) {}
};

/// Found in review: a token that answered nobody was ready where few asked it for anything.
TEST_F(QuietToken, ThreeThatHangAndNoSignatureSinceEndIt) {
  shim_.close_gate("C_Sign");
  std::vector<std::future<bool>> hanging;
  for (int i = 0; i < 3; ++i) {
    hanging.push_back(std::async(std::launch::async, [&] { return signs_now(); }));
  }
  shim_.wait_in_flight("C_Sign", 3);
  wait_until(TokenState::away);
  EXPECT_EQ(refused(), "token token.stuck");
  shim_.open_gate("C_Sign");
  for (auto& call : hanging) {
    static_cast<void>(test::refusal([&] { static_cast<void>(call.get()); }));
  }
  wait_until(TokenState::attached);
  EXPECT_TRUE(signs_now());
}

TEST_F(QuietToken, ThreeThatHangAreNoReasonOnceItHasSignedAgain) {
  shim_.close_gate("C_GenerateKeyPair");
  std::vector<std::future<std::string>> hanging;
  for (int i = 0; i < 3; ++i) {
    hanging.push_back(std::async(std::launch::async, [&, i] {
      return test::refusal(
          [&] { static_cast<void>(token_->generate(spec("P-256"), "slow-" + std::to_string(i))); });
    }));
  }
  shim_.wait_in_flight("C_GenerateKeyPair", 3);
  EXPECT_TRUE(signs_now());
  std::this_thread::sleep_for(milliseconds(3500));  // it is watched every second
  EXPECT_EQ(events(), "attached");
  shim_.open_gate("C_GenerateKeyPair");
  for (auto& call : hanging) {
    EXPECT_EQ(call.get(), "none");
  }
}

TEST_F(Stuck, OneIsNoReasonYet) {
  shim_.close_gate("C_Sign");
  auto hangs = std::async(std::launch::async, [&] { return signs_now(); });
  shim_.wait_in_flight("C_Sign", 1);
  std::this_thread::sleep_for(milliseconds(1500));
  EXPECT_EQ(token_->probe().state, TokenState::attached);
  shim_.open_gate("C_Sign");
  EXPECT_TRUE(hangs.get());
}

}  // namespace
}  // namespace estia::hsm
