// SPDX-License-Identifier: Apache-2.0
// A login that does not hold, whatever C_Login answered, and one that somebody else ends at once.
#include <algorithm>
#include <future>

#include "crypto/base/secure_bytes.h"
#include "hsm/sealing_key.h"
#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

class LoginHolds : public RecoveryTest {
 protected:
  explicit LoginHolds(Signing signing = Signing::native)
      : RecoveryTest(std::chrono::seconds(60), {.signing = signing}) {
    EXPECT_TRUE(signs_now());
  }

  void log_out() const {
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    ASSERT_EQ(other().C_OpenSession(slot(), CKF_SERIAL_SESSION, nullptr, nullptr, &session),
              CKR_OK);
    EXPECT_EQ(other().C_Logout(session), CKR_OK);
    EXPECT_EQ(other().C_CloseSession(session), CKR_OK);
  }
  [[nodiscard]] KeyUri uri() const { return KeyUri::for_object(dir_.label, "ca", {}); }

  /// A loss, and then a login that is none (the call is not made).
  void expect_one_more_login_after(CK_RV answer) {
    const unsigned long before = shim_.calls("C_Login");
    shim_.fail("C_Login", answer);
    ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
    EXPECT_EQ(refused(), "none");
    EXPECT_EQ(shim_.calls("C_Login"), before + 2);
    EXPECT_EQ(events(), "attached lost attached") << "and nothing of the key";
    EXPECT_FALSE(std::filesystem::exists(config_.pin_marker));
    EXPECT_FALSE(std::filesystem::exists(config_.pin_marker.string() + ".trial"));
  }
  /// Somebody logs out once `look` has begun to look for a key. That costs it one more login.
  void expect_one_more_login(Token& token, const std::function<void()>& look) {
    const unsigned long before = shim_.calls("C_Login");
    const std::uint64_t epoch = token.probe().epoch;
    shim_.close_gate("C_FindObjectsInit");
    auto found = std::async(std::launch::async, [&] { return test::refusal(look); });
    shim_.wait_in_flight("C_FindObjectsInit", 1);
    log_out();
    shim_.open_gate("C_FindObjectsInit");
    EXPECT_EQ(found.get(), "none");
    EXPECT_EQ(token.probe().epoch, epoch + 1);
    EXPECT_EQ(shim_.calls("C_Login"), before + 1);
  }
};

/// Found in review: the key counted as missing until somebody asked for readiness.
TEST_F(LoginHolds, IsAskedAfterAnAnswerThatSaysSo) {
  expect_one_more_login_after(CKR_OK);
}

TEST_F(LoginHolds, IsAskedAfterAnAnswerThatSaysThatSomebodyIsLoggedIn) {
  expect_one_more_login_after(CKR_USER_ALREADY_LOGGED_IN);
}

TEST_F(LoginHolds, ThatDoesNotIsAnErrorOfTheLoginAtTheStart) {
  key_.reset();
  token_.reset();
  shim_.fail("C_Login", CKR_OK);
  EXPECT_EQ(test::refusal([&] { static_cast<void>(Token::open(config_)); }),
            "token token.login_lost");
  EXPECT_EQ(shim_.calls("C_OpenSession"), shim_.calls("C_CloseSession"));

  constexpr unsigned long kMany = 1000;
  shim_.fail("C_Login", CKR_OK, kMany);
  token_ = Token::attach(config_);
  EXPECT_EQ(token_->probe().state, TokenState::away);
  EXPECT_NE(token_->probe().why.find("C_Login (answer CKR_OK (0x0)), then C_GetSessionInfo"),
            std::string::npos)
      << token_->probe().why;
  shim_.fail("C_Login", CKR_OK, 0);
  wait_until(TokenState::attached);
  EXPECT_EQ(events(), "attached away attached") << "it was told once";
}

/// Where the session does not tell, what C_Login answered is believed.
TEST_F(LoginHolds, IsBelievedOfASessionThatDoesNotTell) {
  const unsigned long before = shim_.calls("C_Login");
  constexpr unsigned long kAlways = 1'000'000;
  shim_.fail("C_GetSessionInfo", CKR_FUNCTION_NOT_SUPPORTED, kAlways);
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  EXPECT_EQ(refused(), "none");
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);
}

/// Found in review: the key was not found, and nobody noticed why.
TEST_F(LoginHolds, NotWhileAKeyIsLookedFor) {
  const crypto::PublicKey half = key_->public_key();
  expect_one_more_login(*token_, [&] { token_->key_later(uri(), half).find(); });
  expect_one_more_login(*token_, [&] { static_cast<void>(token_->key(uri())); });
  expect_one_more_login(*token_, [&] { static_cast<void>(token_->uri_of("ca")); });
  expect_one_more_login(*token_, [&] { static_cast<void>(token_->attributes(uri())); });
  EXPECT_EQ(events().find("key_refused"), std::string::npos) << events();
}

TEST_F(LoginHolds, NotWhileTheSealingKeyIsLookedFor) {
  open_secure_heap(std::size_t{1} << 20U);
  const Bytes secret = {1, 2, 3};
  const Bytes sealed = SealingKey(*token_).seal(secret, {});
  expect_one_more_login(*token_, [&] {
    const SecureBytes opened = SealingKey(*token_).open(sealed, {});
    EXPECT_TRUE(std::ranges::equal(opened.view(), secret));
  });
}

#ifndef ESTIA_WITHOUT_PKCS11_PROVIDER
class LoginHoldsByProvider : public LoginHolds {
 protected:
  LoginHoldsByProvider() : LoginHolds(Signing::pkcs11_provider) {}
};

TEST_F(LoginHoldsByProvider, IsAskedAfterAnAnswerThatSaysSo) {
  expect_one_more_login_after(CKR_OK);
}

TEST_F(LoginHoldsByProvider, NotWhileAKeyIsLookedFor) {
  const crypto::PublicKey half = key_->public_key();
  expect_one_more_login(*token_, [&] { token_->key_later(uri(), half).find(); });
}
#endif

}  // namespace
}  // namespace estia::hsm
