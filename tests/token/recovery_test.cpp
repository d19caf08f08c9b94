// SPDX-License-Identifier: Apache-2.0
// What was lost is found again without a restart of the process: the rungs of hsm/recovery.h.
#include <future>

#include "crypto/base/file.h"
#include "crypto/base/secure_bytes.h"
#include "hsm/ckr.h"
#include "hsm/key_templates.h"
#include "hsm/objects.h"
#include "hsm/sealing_key.h"
#include "hsm/server_keys.h"
#include "tests/support/fake_clock.h"
#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

using std::chrono::milliseconds;

class Rungs : public RecoveryTest {
 protected:
  void expect_rungs(std::uint64_t logins, std::uint64_t restarts) const {
    const TokenStatus status = token_->probe();
    EXPECT_EQ(status.logins, logins);
    EXPECT_EQ(status.restarts, restarts);
    EXPECT_EQ(shim_.calls("C_Login"), logins + restarts);
    EXPECT_EQ(status.state, TokenState::attached);
  }
};

TEST_F(Rungs, ALostSessionCostsAnotherOne) {
  shim_.fail("C_SignInit", CKR_SESSION_HANDLE_INVALID);
  EXPECT_TRUE(signs_now());
  expect_rungs(1, 0);
  EXPECT_EQ(token_->probe().new_sessions, 1U);
  EXPECT_EQ(events(), "attached");
}

TEST_F(Rungs, ALostLoginCostsAnotherOne) {
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
  EXPECT_TRUE(signs_now());
  expect_rungs(2, 0);
  EXPECT_EQ(shim_.calls("C_Finalize"), 0U);
  EXPECT_EQ(events(), "attached lost attached");
}

TEST_F(Rungs, AllSessionsClosedBySomebodyElse) {
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  EXPECT_TRUE(signs_now());
  expect_rungs(2, 0);
}

TEST_F(Rungs, LoggedOutBySomebodyElse) {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  ASSERT_EQ(other().C_OpenSession(slot(), CKF_SERIAL_SESSION, nullptr, nullptr, &session), CKR_OK);
  ASSERT_EQ(other().C_Logout(session), CKR_OK);
  EXPECT_TRUE(signs_now());
  expect_rungs(2, 0);
}

TEST_F(Rungs, FinalisedBySomebodyElse) {
  ASSERT_EQ(other().C_Finalize(nullptr), CKR_OK);
  EXPECT_TRUE(signs_now());
  expect_rungs(1, 1);
  EXPECT_EQ(shim_.calls("C_Initialize"), 2U);
}

TEST_F(Rungs, ADeviceThatWasRemovedAndIsBack) {
  shim_.fail("C_SignInit", CKR_DEVICE_REMOVED, 2);
  EXPECT_TRUE(signs_now());
  expect_rungs(1, 1);
}

TEST_F(Rungs, ALoginThatFailsTakesTheNextRung) {
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
  shim_.fail("C_Login", CKR_DEVICE_ERROR);
  EXPECT_TRUE(signs_now());
  EXPECT_EQ(token_->probe().logins, 1U);
  EXPECT_EQ(token_->probe().restarts, 1U);
}

/// The token's folder goes and comes back, as an HSM that restarts.
TEST_F(Rungs, ATokenThatIsAwayIsRefusedAtOnceAndTakenUpWhenItIsBack) {
  const auto hidden = dir_.folder / "hidden";
  const std::filesystem::path tokens = dir_.tokens;
  std::filesystem::rename(tokens, hidden);
  std::filesystem::create_directory(tokens);
  shim_.fail("C_SignInit", CKR_DEVICE_REMOVED, 2);
  EXPECT_EQ(refused(), "token token.not_found");
  wait_until(TokenState::away);
  EXPECT_EQ(refused(), "token token.not_found");
  EXPECT_FALSE(token_->probe().present);
  EXPECT_NE(token_->probe().why.find("token.not_found"), std::string::npos);
  std::filesystem::remove(tokens);
  std::filesystem::rename(hidden, tokens);
  wait_until(TokenState::attached);
  EXPECT_TRUE(signs_now());
  EXPECT_EQ(token_->probe().restarts, 1U) << "attempts that fail are not counted";
  EXPECT_EQ(events(), "attached lost away attached");
}

/// Each attempt restarts the module and reads all its slots: an HSM that boots has better to do.
TEST_F(Rungs, AttemptsGrowRarer) {
  const auto hidden = dir_.folder / "hidden";
  const std::filesystem::path tokens = dir_.tokens;
  std::filesystem::rename(tokens, hidden);
  std::filesystem::create_directory(tokens);
  const auto begin = std::chrono::steady_clock::now();
  const unsigned long before = shim_.calls("C_Initialize");
  shim_.fail("C_SignInit", CKR_DEVICE_REMOVED, 2);
  EXPECT_EQ(refused(), "token token.not_found");
  while (shim_.calls("C_Initialize") < before + 6) {
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(100 + 200 + 400 + 800 + 1600));
  std::filesystem::remove(tokens);
  std::filesystem::rename(hidden, tokens);
  wait_until(TokenState::attached);
  EXPECT_EQ(events(), "attached lost away attached") << "said once, not with each attempt";
}

/// One that is lost again at once must not cost all others a login each time.
TEST_F(Rungs, RecoveriesThatDoNotLastGrowRarer) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 8; ++i) {
    ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
    EXPECT_TRUE(signs_now());
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1))
      << "0.1, 0.2, 0.4, 0.5 ... s between them";
}

TEST_F(Rungs, OneThreadClimbsForAll) {
  constexpr unsigned long kThreads = 8;
  const unsigned long before = shim_.calls("C_SignInit");
  shim_.close_gate("C_SignInit");
  shim_.close_gate("C_Login");  // nobody is served before all have failed
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2 * kThreads);
  std::vector<std::future<bool>> threads;
  for (unsigned long i = 0; i < kThreads; ++i) {
    threads.push_back(std::async(std::launch::async, [&] { return signs_now(); }));
  }
  shim_.wait_in_flight("C_SignInit", kThreads);
  shim_.open_gate("C_SignInit");
  while (shim_.calls("C_SignInit") < before + 2 * kThreads) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  shim_.open_gate("C_Login");
  for (auto& thread : threads) {
    EXPECT_TRUE(thread.get());
  }
  expect_rungs(2, 0);
}

TEST_F(Rungs, ThreeFailuresThatTellNothingRestartTheModuleOnceAMinute) {
  const auto fail = [&](unsigned long count) {
    for (unsigned long i = 0; i < count; ++i) {
      shim_.fail("C_Sign", CKR_GENERAL_ERROR);
      EXPECT_EQ(refused(), "token token.failed");
    }
  };
  fail(2);
  EXPECT_TRUE(signs_now());
  fail(2);
  EXPECT_TRUE(signs_now());
  EXPECT_EQ(token_->probe().restarts, 0U) << "never three in a row";
  fail(3);
  while (token_->probe().restarts == 0) {
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_TRUE(signs_now());
  fail(6);
  EXPECT_TRUE(signs_now());
  EXPECT_EQ(token_->probe().restarts, 1U) << "one key's trouble must not stop the others";
}

/// Found in review: a handle that names another kind of object was used for ever.
TEST_F(Rungs, AKeyThatTheTokenSaysIsAnotherKindIsLookedForAgain) {
  const unsigned long before = shim_.calls("C_FindObjectsInit");
  for (int i = 0; i < 3; ++i) {
    shim_.fail("C_SignInit", CKR_KEY_TYPE_INCONSISTENT);
    EXPECT_NE(refused(), "none");
    EXPECT_TRUE(signs_now());
  }
  EXPECT_EQ(shim_.calls("C_FindObjectsInit"), before + 2) << "once a minute, its two halves";
  expect_rungs(1, 0);
}

/// One login for both.
TEST_F(Rungs, AFaultOfAnEarlierLoginIsNoFaultOfThisOne) {
  shim_.close_gate("C_SignInit");
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 4);
  auto one = std::async(std::launch::async, [&] { return refused(); });
  auto two = std::async(std::launch::async, [&] { return refused(); });
  shim_.wait_in_flight("C_SignInit", 2);
  shim_.open_gate("C_SignInit");
  EXPECT_EQ(one.get(), "none");
  EXPECT_EQ(two.get(), "none");
  expect_rungs(2, 0);
}

/// Handle, label and CKA_ID are the same; the key is not.
TEST_F(Rungs, AnotherKeyOfTheSameNameNeverSigns) {
  const KeyUri uri = token_->uri_of("ca");
  token_->destroy(uri);
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  ASSERT_EQ(other().C_OpenSession(slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                  &session),
            CKR_OK);
  Template public_half;
  add_kind(public_half, spec("P-256"));
  public_half.flag(CKA_TOKEN, true).text(CKA_LABEL, "ca").bytes(CKA_ID, uri.id());
  Template private_half;
  private_half.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true);
  private_half.flag(CKA_EXTRACTABLE, false).flag(CKA_SIGN, true);
  private_half.text(CKA_LABEL, "ca").bytes(CKA_ID, uri.id());
  CK_MECHANISM generation{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE made_private = CK_INVALID_HANDLE;
  ASSERT_EQ(
      other().C_GenerateKeyPair(session, &generation, public_half.data(), public_half.size(),
                                private_half.data(), private_half.size(), &made, &made_private),
      CKR_OK);
  const unsigned long before = shim_.calls("C_Sign");
  shim_.fail("C_SignInit", CKR_KEY_HANDLE_INVALID, 2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(refused(), "token token.key_changed");
  }
  ASSERT_EQ(other().C_Finalize(nullptr), CKR_OK);
  EXPECT_NE(refused(), "none");
  EXPECT_EQ(shim_.calls("C_Sign"), before);
}

/// Found as a hole: it had the token recovered twice with every request.
TEST_F(Rungs, AKeyThatIsAlwaysStaleCostsOneRecoveryASecond) {
  shim_.fail("C_SignInit", CKR_KEY_HANDLE_INVALID, 1'000'000);
  EXPECT_EQ(refused(), "token token.handle_stale");
  const std::uint64_t logins = token_->probe().logins;
  EXPECT_EQ(logins, 2U);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(refused(), "token token.handle_stale");
  }
  EXPECT_LE(token_->probe().logins, logins + 1);
}

/// Found in review: one key of which the token says that it has lost its sessions cost all other
/// keys the token with every request.
TEST_F(Rungs, AKeyThatAlwaysLosesTheTokenRestsLongerEachTime) {
  for (const CK_RV rv : {CKR_USER_NOT_LOGGED_IN, CKR_CRYPTOKI_NOT_INITIALIZED}) {
    shim_.fail("C_SignInit", rv, 1'000'000);
    EXPECT_NE(refused(), "none");
    const auto seen = token_->probe();
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 200; ++i) {
      EXPECT_NE(refused(), "none");
    }
    const auto seconds = (std::chrono::steady_clock::now() - begin) / std::chrono::seconds(1);
    const auto now = token_->probe();
    EXPECT_LE(now.logins + now.restarts,
              seen.logins + seen.restarts + 1 + static_cast<std::uint64_t>(seconds))
        << ckr_name(rv);
    shim_.fail("C_SignInit", CKR_OK, 0);
    while (refused() != "none") {
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
}

/// Not for each of the requests that failed together.
TEST_F(Rungs, AKeyThatAllLostAtTheSameTimeRestsOnce) {
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 1'000'000);
  std::vector<std::future<std::string>> requests;
  for (int i = 0; i < 16; ++i) {
    requests.push_back(std::async(std::launch::async, [&] { return refused(); }));
  }
  for (auto& request : requests) {
    EXPECT_NE(request.get(), "none");
  }
  shim_.fail("C_SignInit", CKR_OK, 0);
  const auto begin = std::chrono::steady_clock::now();
  while (refused() != "none") {
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15))
      << "sixteen rests are half a minute";
}

/// Found in review: readiness stayed green, whatever the code was.
TEST_F(Rungs, AKeyWhoseSignaturesAllFailIsSaidAndFoundAgainByWhoWatches) {
  for (const CK_RV rv : {CKR_GENERAL_ERROR, CKR_MECHANISM_INVALID}) {
    shim_.fail("C_Sign", rv, 1'000'000);
    while (!token_->keys().at(0).refused) {
      EXPECT_NE(refused(), "none");
      std::this_thread::sleep_for(milliseconds(50));
    }
    shim_.fail("C_Sign", CKR_OK, 0);
    while (!token_->keys().at(0).ready) {  // no request comes
      static_cast<void>(token_->probe());
      std::this_thread::sleep_for(milliseconds(20));
    }
    EXPECT_TRUE(signs_now());
  }
}

/// Found in review: signatures went on, and each of them said that all was well.
TEST_F(Rungs, ATokenThatSaysNothingOfItselfIsRestartedWhileItSigns) {
  shim_.fail("C_GetTokenInfo", CKR_GENERAL_ERROR, 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(token_->probe().present);
    EXPECT_TRUE(signs_now());
  }
  while (events() != "attached lost attached") {  // without a look that finds it well
    EXPECT_TRUE(signs_now());
  }
  EXPECT_EQ(token_->probe().restarts, 1U);
  EXPECT_TRUE(token_->probe().present);
}

/// Found in review: nobody watched for it, and nobody was told.
TEST_F(Rungs, ALookThatHangsIsSaid) {
  TokenConfig config = config_;
  config.call_limit = milliseconds(1000);
  config.session_wait = milliseconds(300);
  config.recovery_wait = milliseconds(300);
  const auto token = Token::attach(config);
  const crypto::PrivateKey key = token->key(token->uri_of("ca"));
  shim_.close_gate("C_GetSessionInfo");
  shim_.fail("C_Sign", CKR_GENERAL_ERROR);
  EXPECT_NE(test::refusal([&] { static_cast<void>(signs(key)); }), "none");
  shim_.wait_in_flight("C_GetSessionInfo", 1);
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
  const auto why = [&] { return test::refusal([&] { static_cast<void>(signs(key)); }); };
  while (why() != "token token.stuck") {
    std::this_thread::sleep_for(milliseconds(20));
  }
  shim_.open_gate("C_GetSessionInfo");
  while (why() != "none") {
    std::this_thread::sleep_for(milliseconds(20));
  }
}

TEST_F(Rungs, AKeyThatCanLeaveTheTokenIsNotUsed) {
  for (const CK_ATTRIBUTE_TYPE type : {CKA_EXTRACTABLE, CKA_SENSITIVE}) {
    shim_.flip_attribute(type);
    EXPECT_EQ(test::refusal([&] { static_cast<void>(token_->key(token_->uri_of("ca"))); }),
              "token token.key_extractable");
  }
  shim_.flip_attribute(~0UL);
  EXPECT_TRUE(signs(token_->key(token_->uri_of("ca"))));
}

/// What lives in the login session is made anew.
TEST_F(Rungs, SealedSecretsAndKeysForClientsOutliveThem) {
  open_secure_heap(4U << 20U);
  test::FakeClock clock;
  SealingKey sealing(*token_);
  ServerKeys keys(*token_, {}, clock);
  const std::string secret = "a secret";
  const Bytes sealed = sealing.seal(as_bytes(secret), {});
  EXPECT_FALSE(keys.generate(spec("P-256")).pkcs8.view().empty());
  const auto expect_all_well = [&] {
    EXPECT_EQ(as_text(sealing.open(sealed, {}).view()), secret);
    EXPECT_FALSE(keys.generate(spec("P-256")).pkcs8.view().empty());
    EXPECT_TRUE(signs_now());
  };
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  expect_all_well();
  ASSERT_EQ(other().C_Finalize(nullptr), CKR_OK);
  expect_all_well();
  EXPECT_EQ(keys.status().delivered, 3U);
  EXPECT_EQ(shim_.calls("C_GenerateKeyPair"), 1 + keys.status().delivered + keys.status().destroyed)
      << "the CA's, and every other is accounted for";
}

}  // namespace
}  // namespace estia::hsm
