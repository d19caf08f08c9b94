// SPDX-License-Identifier: Apache-2.0
// What the session of the login says of itself, and what is made of it when it says nothing.
#include <future>

#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

constexpr unsigned long kAlways = 1'000'000;

class SessionInfo : public RecoveryTest {
 protected:
  using RecoveryTest::RecoveryTest;

  /// A signature fails without a reason, and the token is looked at. Ends when the look has begun.
  void be_looked_at() const {
    const unsigned long before = shim_.calls("C_GetSessionInfo");
    shim_.fail("C_Sign", CKR_GENERAL_ERROR);
    EXPECT_EQ(refused(), "token token.failed");
    while (shim_.calls("C_GetSessionInfo") == before) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    while (refused() != "none") {  // a login would be noticed below
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
};

/// Found in review: readiness was red, and each look cost a login, though the token signed.
TEST_F(SessionInfo, ThatTheTokenNeverTellsIsNoLossOfTheLogin) {
  for (const CK_RV rv : {CKR_FUNCTION_NOT_SUPPORTED, CKR_FUNCTION_FAILED, CKR_GENERAL_ERROR,
                         CKR_DEVICE_ERROR, CKR_HOST_MEMORY}) {
    SCOPED_TRACE(rv);
    shim_.fail("C_GetSessionInfo", rv, kAlways);
    for (int i = 0; i < 5; ++i) {  // more than restart a module that says nothing of itself
      const TokenStatus status = token_->probe();
      EXPECT_TRUE(status.present && status.logged_in);
      EXPECT_EQ(status.state, TokenState::attached);
      EXPECT_TRUE(signs_now());
    }
    be_looked_at();
    be_looked_at();  // the first look has ended
  }
  EXPECT_EQ(shim_.calls("C_Login"), 1U);
  EXPECT_EQ(shim_.calls("C_Finalize"), 0U);
  EXPECT_EQ(events(), "attached");
}

TEST_F(SessionInfo, ThatTheTokenNeverTellsHidesNoLossThatAnotherCallTells) {
  shim_.fail("C_GetSessionInfo", CKR_FUNCTION_NOT_SUPPORTED, kAlways);
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  EXPECT_TRUE(signs_now());
  EXPECT_EQ(shim_.calls("C_Login"), 2U);
  EXPECT_EQ(events(), "attached lost attached");
}

/// Its answers about the token fail likewise: this is a device that is away, not a call it lacks.
TEST_F(SessionInfo, OfATokenThatTellsNothingAtAllIsALoss) {
  shim_.fail("C_GetSessionInfo", CKR_DEVICE_ERROR);
  shim_.fail("C_GetTokenInfo", CKR_DEVICE_ERROR);
  be_looked_at();
  while (events() != "attached lost attached") {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(shim_.calls("C_Login"), 2U);
}

TEST_F(SessionInfo, ThatSaysThatNobodyIsLoggedInIsBelieved) {
  for (const CK_RV rv : {CKR_SESSION_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN, CKR_SESSION_CLOSED}) {
    SCOPED_TRACE(rv);
    const unsigned long before = shim_.calls("C_Login");
    shim_.fail("C_GetSessionInfo", rv);
    EXPECT_FALSE(token_->probe().logged_in);
    while (shim_.calls("C_Login") == before) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_TRUE(signs_now());
  }
}

/// Found in review: nothing noticed it when a loss that was told while the token was looked at was
/// seen to twice.
TEST_F(SessionInfo, ThatComesTooLateChangesNothing) {
  shim_.close_gate("C_GetSessionInfo");
  shim_.fail("C_GetSessionInfo", CKR_SESSION_HANDLE_INVALID);
  shim_.fail("C_Sign", CKR_GENERAL_ERROR);
  EXPECT_EQ(refused(), "token token.failed");
  shim_.wait_in_flight("C_GetSessionInfo", 1);
  shim_.fail("C_FindObjectsInit", CKR_DEVICE_REMOVED);
  auto lost = std::async(std::launch::async, [&] { return token_->uri_of("ca").text(); });
  while (events() != "attached lost") {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  shim_.open_gate("C_GetSessionInfo");
  EXPECT_NE(lost.get(), "");
  EXPECT_EQ(events(), "attached lost attached");
  EXPECT_EQ(shim_.calls("C_Login"), 2U);
  EXPECT_EQ(token_->probe().restarts, 1U) << "what the loss wants, not the look";
}

#ifndef ESTIA_WITHOUT_PKCS11_PROVIDER
class SessionInfoOfProvider : public SessionInfo {
 protected:
  SessionInfoOfProvider()
      : SessionInfo(std::chrono::seconds(60), {.signing = Signing::pkcs11_provider}) {}
};

/// The package asks for it itself before it signs.
TEST_F(SessionInfoOfProvider, ThatTheTokenNeverTellsCostsNoLogin) {
  EXPECT_TRUE(signs_now());
  shim_.fail("C_GetSessionInfo", CKR_FUNCTION_NOT_SUPPORTED, kAlways);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(refused(), "none");
  }
  EXPECT_EQ(shim_.calls("C_Login"), 1U);
  shim_.fail("C_GetSessionInfo", CKR_OK, 0);
  while (refused() != "none") {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(shim_.calls("C_Login"), 1U);
}
#endif

}  // namespace
}  // namespace estia::hsm
