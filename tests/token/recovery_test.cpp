// SPDX-License-Identifier: Apache-2.0
// What was lost is found again without a restart of the process: the rungs of hsm/recovery.h.
#include <future>

#include "crypto/base/file.h"
#include "crypto/base/secure_bytes.h"
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
  Stuck() : RecoveryTest(milliseconds(300), {.max_sessions = 4, .call_limit = milliseconds(100)}) {}
};

/// Each call that hangs takes a worker: before they take all, nobody else goes in.
TEST_F(Stuck, HalfOfTheSessionsInCallsThatHangEndItForTheOthers) {
  shim_.close_gate("C_Sign");
  std::vector<std::future<bool>> hanging;
  for (int i = 0; i < 2; ++i) {
    hanging.push_back(std::async(std::launch::async, [&] { return signs_now(); }));
  }
  shim_.wait_in_flight("C_Sign", 2);
  wait_until(TokenState::away);
  EXPECT_EQ(refused(), "token token.stuck");
  EXPECT_EQ(shim_.calls("C_Finalize"), 0U);
  shim_.open_gate("C_Sign");
  for (auto& call : hanging) {
    static_cast<void>(test::refusal([&] { static_cast<void>(call.get()); }));
  }
  wait_until(TokenState::attached);
  EXPECT_TRUE(signs_now());
  EXPECT_EQ(token_->probe().restarts, 1U);
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

class Pin : public RecoveryTest {
 protected:
  void set_pin(const std::string& from, const std::string& to) const {
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    ASSERT_EQ(other().C_OpenSession(slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                    &session),
              CKR_OK);
    std::string old_pin = from;
    std::string new_pin = to;
    ASSERT_EQ(
        other().C_SetPIN(session, reinterpret_cast<CK_UTF8CHAR*>(old_pin.data()), old_pin.size(),
                         reinterpret_cast<CK_UTF8CHAR*>(new_pin.data()), new_pin.size()),
        CKR_OK);
  }
  [[nodiscard]] std::string pin() const {
    return std::string(PinSource{config_.pin}.read().text());
  }
};

/// Every further attempt could be the one that locks the token.
TEST_F(Pin, ThatIsRefusedIsNotTriedAgainNotAfterARestartEither) {
  const std::string right = pin();
  set_pin(right, "another-pin");
  const unsigned long before = shim_.calls("C_Login");
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(refused(), "token token.pin_refused");
  }
  wait_until(TokenState::pin_refused);
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);
  EXPECT_EQ(events(), "attached lost pin_refused");
  const std::string marker = read_file(config_.pin_marker);
  EXPECT_NE(marker.find(token_->probe().serial), std::string::npos);
  EXPECT_EQ(marker.find(right), std::string::npos);

  const auto next_life = Token::attach(config_);
  EXPECT_EQ(next_life->probe().state, TokenState::pin_refused);
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);

  EXPECT_EQ(test::refusal([&] { token_->activate(); }), "token token.pin_refused")
      << "the file still holds the old one";
  EXPECT_EQ(shim_.calls("C_Login"), before + 2) << "one attempt for each order";
  EXPECT_TRUE(std::filesystem::exists(config_.pin_marker));
  replace_file(config_.pin.file, "another-pin\n", FileMode::secret);
  token_->activate();
  EXPECT_TRUE(signs_now());
  EXPECT_FALSE(std::filesystem::exists(config_.pin_marker));
}

/// Found as a hole: without the note, the PIN was tried again and again.
TEST_F(Pin, WithoutAPlaceForTheNoteNoPinIsTried) {
  const auto folder = dir_.folder / "state";
  std::filesystem::create_directory(folder);
  config_.pin_marker = folder / "marker";
  token_.reset();
  key_.reset();
  const auto token = Token::open(config_);
  const crypto::PrivateKey key = token->key(KeyUri::parse("pkcs11:object=ca"));
  std::filesystem::remove_all(folder);
  replace_file(folder, "no folder", FileMode::secret);
  const unsigned long before = shim_.calls("C_Login");
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
  const auto attempt = [&] { return test::refusal([&] { static_cast<void>(signs(key)); }); };
  EXPECT_EQ(attempt(), "token token.marker");
  EXPECT_EQ(attempt(), "token token.marker");
  EXPECT_EQ(shim_.calls("C_Login"), before);
  std::filesystem::remove(folder);
  std::filesystem::create_directory(folder);
  while (token->probe().state != TokenState::attached) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_TRUE(signs(key));
}

/// Found as a hole: it restarted a module that had just been recovered, and said that it failed.
TEST_F(Pin, AnOrderDuringARecoveryWaitsForIt) {
  shim_.close_gate("C_Login");
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
  auto lost = std::async(std::launch::async, [&] { return refused(); });
  shim_.wait_in_flight("C_Login", 1);
  auto ordered =
      std::async(std::launch::async, [&] { return test::refusal([&] { token_->activate(); }); });
  shim_.open_gate("C_Login");
  EXPECT_EQ(lost.get(), "none");
  EXPECT_EQ(ordered.get(), "none");
  EXPECT_EQ(token_->probe().restarts, 0U);
}

TEST_F(Pin, AMarkerOfAnotherTokenDoesNotCount) {
  replace_file(config_.pin_marker, "serial 0123456789\nat 2026-01-01T00:00:00Z\n",
               FileMode::secret);
  EXPECT_EQ(Token::attach(config_)->probe().state, TokenState::attached);
}

TEST_F(Pin, AMarkerThatCannotBeReadCounts) {
  replace_file(config_.pin_marker, "nonsense", FileMode::secret);
  const unsigned long before = shim_.calls("C_Login");
  EXPECT_EQ(Token::attach(config_)->probe().state, TokenState::pin_refused);
  EXPECT_EQ(shim_.calls("C_Login"), before);
}

class LaterStart : public ShimTest {};

TEST_F(LaterStart, KeysAreFoundWhenTheTokenIsThere) {
  const std::filesystem::path tokens = dir_.tokens;
  const auto hidden = dir_.folder / "hidden";
  const crypto::PublicKey known = open_shim()->generate(spec("P-256"), "ca").public_key();
  std::filesystem::rename(tokens, hidden);
  std::filesystem::create_directory(tokens);
  ASSERT_TRUE(Module::load(config().module, {})->restart(1, milliseconds(5000)));
  const auto token = Token::attach(config());
  const crypto::PrivateKey key = token->key_later(KeyUri::parse("pkcs11:object=ca"), known);
  EXPECT_EQ(test::refusal([&] { static_cast<void>(signs(key)); }), "token token.not_found");
  std::filesystem::remove(tokens);
  std::filesystem::rename(hidden, tokens);
  while (token->probe().state != TokenState::attached) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_TRUE(signs(key));
}

TEST_F(LaterStart, WhatWaitingCannotMendIsThrown) {
  TokenConfig no_module = config();
  no_module.module = "/nowhere.so";
  EXPECT_EQ(test::refusal([&] { static_cast<void>(Token::attach(no_module)); }),
            "config token.module_unloadable");
}

}  // namespace
}  // namespace estia::hsm
