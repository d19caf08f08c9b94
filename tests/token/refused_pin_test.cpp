// SPDX-License-Identifier: Apache-2.0
// A PIN that is refused, and a token that is not there at the start.
#include <future>

#include "crypto/base/file.h"
#include "hsm/logins.h"
#include "hsm/pin_marker.h"
#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

using std::chrono::milliseconds;

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
  EXPECT_TRUE(next_life->probe().present) << "or who watches looks for it";
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);

  EXPECT_EQ(test::refusal([&] { token_->activate(); }), "token token.pin_refused")
      << "the file still holds the old one";
  EXPECT_EQ(shim_.calls("C_Login"), before + 2) << "one attempt for each order";
  EXPECT_TRUE(events().ends_with("pin_refused")) << events();
  EXPECT_TRUE(std::filesystem::exists(config_.pin_marker));
  replace_file(config_.pin.file, "another-pin\n", FileMode::secret);
  token_->activate();
  EXPECT_TRUE(signs_now());
  EXPECT_FALSE(std::filesystem::exists(config_.pin_marker));
}

TEST_F(Pin, ThatTheTokenHasLockedIsNotTried) {
  const unsigned long before = shim_.calls("C_Login");
  shim_.add_token_flags(CKF_USER_PIN_LOCKED);
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  EXPECT_EQ(refused(), "token token.pin_locked");
  wait_until(TokenState::pin_refused);
  EXPECT_EQ(shim_.calls("C_Login"), before);
}

/// Found in review: nothing noticed it when an order tried it all the same, or told of it
/// otherwise.
TEST_F(Pin, ThatTheTokenHasLockedIsToldToWhoOrdersIt) {
  const std::string serial = token_->probe().serial;
  set_pin(pin(), "another-pin");
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  EXPECT_EQ(refused(), "token token.pin_refused");
  wait_until(TokenState::pin_refused);
  const PinMarker marker(config_.pin_marker);
  const auto order = [&] { return test::refusal([&] { token_->activate(); }); };
  const auto stopped = [&] { return test::refusal([&] { try_pin(config_); }); };
  const auto expect_noted = [&](unsigned long logins) {
    EXPECT_EQ(shim_.calls("C_Login"), logins);
    EXPECT_TRUE(marker.refused(serial));
    EXPECT_FALSE(marker.unsettled(serial));
    EXPECT_EQ(token_->probe().state, TokenState::pin_refused);
  };
  const unsigned long before = shim_.calls("C_Login");
  shim_.fail("C_Login", CKR_PIN_LOCKED, 2);  // it has no flags, and answers
  EXPECT_EQ(order(), "token token.pin_locked");
  expect_noted(before + 1);
  EXPECT_EQ(stopped(), "token token.pin_locked");
  expect_noted(before + 2);
  shim_.add_token_flags(CKF_USER_PIN_LOCKED);
  EXPECT_EQ(order(), "token token.pin_locked");
  EXPECT_EQ(stopped(), "token token.pin_locked");
  expect_noted(before + 2);
  EXPECT_TRUE(events().ends_with("pin_refused")) << events();
}

/// Of another life: the PIN was mended since.
TEST_F(Pin, AnOrderToATokenThatIsWellTakesTheNoteAway) {
  const unsigned long before = shim_.calls("C_Login");
  const std::string of_the_token = "serial " + token_->probe().serial + "\nat y\n";
  for (const std::string& note : {of_the_token, std::string("nobody can read this")}) {
    replace_file(config_.pin_marker, note, FileMode::secret);
    token_->activate();
    EXPECT_FALSE(std::filesystem::exists(config_.pin_marker)) << note;
  }
  EXPECT_EQ(shim_.calls("C_Login"), before);
}

/// Found in review: the PIN was tried again with another token of the label, which had refused it.
TEST_F(Pin, AnOrderLeavesTheNotesOfOtherTokens) {
  const PinMarker marker(config_.pin_marker);
  const std::string serial = token_->probe().serial;
  const auto expect_only_the_other = [&](const char* after) {
    EXPECT_FALSE(marker.refused(serial)) << after;
    EXPECT_TRUE(marker.refused("another")) << after;
    EXPECT_FALSE(marker.unsettled(serial)) << after;
  };
  marker.set("another");
  marker.set(serial);
  token_->activate();
  expect_only_the_other("of one that is well");

  const std::string right = pin();
  set_pin(right, "another-pin");
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  EXPECT_EQ(refused(), "token token.pin_refused");
  wait_until(TokenState::pin_refused);
  EXPECT_TRUE(marker.refused(serial));
  replace_file(config_.pin.file, "another-pin\n", FileMode::secret);
  token_->activate();
  expect_only_the_other("of one that refused it");

  marker.set(serial);
  try_pin(config_);
  expect_only_the_other("while nobody runs");
}

/// Found in review: ten attempts in ten seconds, while the module's answers were lost.
TEST_F(Pin, AWrongOneThatTheModuleDoesNotTellIsNotTriedAgain) {
  set_pin(pin(), "another-pin");
  const unsigned long before = shim_.calls("C_Login");
  shim_.fail_after("C_Login", CKR_DEVICE_ERROR, 100);
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  EXPECT_EQ(refused(), "token token.pin_refused");
  wait_until(TokenState::pin_refused);
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);
  EXPECT_TRUE(std::filesystem::exists(config_.pin_marker));
  // Found in review: the flag was there before, and so told nothing new after an order.
  EXPECT_EQ(test::refusal([&] { token_->activate(); }), "token token.pin_refused");
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_EQ(shim_.calls("C_Login"), before + 2);
  EXPECT_TRUE(std::filesystem::exists(config_.pin_marker));
}

/// Found in review: nor did the token tell, at that moment.
TEST_F(Pin, AWrongOneThatNobodyTellsIsNotTriedAgain) {
  set_pin(pin(), "another-pin");
  const unsigned long before = shim_.calls("C_Login");
  shim_.close_gate("C_Login");
  shim_.fail_after("C_Login", CKR_DEVICE_ERROR, 100);
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  auto lost = std::async(std::launch::async, [&] { return refused(); });
  shim_.wait_in_flight("C_Login", 1);
  shim_.fail("C_GetSlotList", CKR_DEVICE_ERROR);
  shim_.open_gate("C_Login");
  EXPECT_EQ(lost.get(), "token token.pin_refused");
  wait_until(TokenState::pin_refused);
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);
  EXPECT_TRUE(std::filesystem::exists(config_.pin_marker));
}

/// Whatever the token calls a wrong PIN that it has counted.
class PinFlags : public Pin, public ::testing::WithParamInterface<CK_FLAGS> {};

TEST_P(PinFlags, SayThatALoginWithoutAnAnswerWasAWrongPin) {
  const unsigned long before = shim_.calls("C_Login");
  shim_.close_gate("C_Login");
  shim_.fail("C_Login", CKR_DEVICE_ERROR);
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  auto lost = std::async(std::launch::async, [&] { return refused(); });
  shim_.wait_in_flight("C_Login", 1);
  shim_.add_token_flags(GetParam());
  shim_.open_gate("C_Login");
  EXPECT_EQ(lost.get(), "token token.pin_refused");
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);
  EXPECT_TRUE(std::filesystem::exists(config_.pin_marker));
}

INSTANTIATE_TEST_SUITE_P(All, PinFlags,
                         ::testing::Values(CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY,
                                           CKF_USER_PIN_LOCKED));

class PinOrders : public Pin {
 protected:
  [[nodiscard]] int told(const std::string& what) {
    const std::string all = events() + " ";
    int count = 0;
    for (std::size_t at = 0; (at = all.find(what + " ", at)) != std::string::npos; ++at) {
      ++count;
    }
    return count;
  }
};

TEST_F(PinOrders, ThatEndAlikeAreToldEachTime) {
  set_pin(pin(), "another-pin");
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  EXPECT_EQ(refused(), "token token.pin_refused");
  wait_until(TokenState::pin_refused);
  for (int orders = 1; orders <= 2; ++orders) {
    EXPECT_EQ(test::refusal([&] { token_->activate(); }), "token token.pin_refused");
    EXPECT_EQ(told("pin_refused"), 1 + orders);
  }
}

/// Found in review: it said that the token is not available.
TEST_F(PinOrders, ThatAreRefusedSaySo) {
  set_pin(pin(), "another-pin");
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  EXPECT_EQ(refused(), "token token.pin_refused");
  wait_until(TokenState::pin_refused);
  try {
    token_->activate();
    ADD_FAILURE() << "it was accepted";
  } catch (const Error& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("the token refuses the PIN: C_Login"))
        << error.what();
  }
}

/// Attempts are two seconds apart by then.
TEST_F(PinOrders, AreCarriedOutAtOnce) {
  shim_.fail("C_GetSlotList", CKR_DEVICE_REMOVED, 12);
  ASSERT_EQ(other().C_Finalize(nullptr), CKR_OK);
  while (refused() != "token token.gone") {
  }
  const auto begin = std::chrono::steady_clock::now();
  int orders = 0;
  while (test::refusal([&] { token_->activate(); }) != "none") {
    ++orders;
  }
  EXPECT_GE(orders, 1);
  EXPECT_LT((std::chrono::steady_clock::now() - begin) / std::max(orders, 1), milliseconds(1500))
      << "each would wait for the next attempt";
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
  const crypto::PrivateKey key = token->key_later(KeyUri::parse("pkcs11:object=ca"), known).key;
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
