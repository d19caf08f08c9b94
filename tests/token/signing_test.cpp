// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hsm/ckr.h"
#include "tests/token/shim_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

class Signing : public ShimTest {
 protected:
  std::shared_ptr<Token> token_ = open_shim();
  crypto::PrivateKey key_ = token_->generate(spec("P-256"), "ca");
};

TEST_F(Signing, IsOneSignInitAndOneSign) {
  const unsigned long before = shim_.calls("C_Sign");
  const unsigned long sessions = shim_.calls("C_OpenSession");
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(signs(key_));
  }
  EXPECT_EQ(shim_.calls("C_Sign"), before + 5);
  EXPECT_EQ(shim_.calls("C_SignInit"), before + 5);
  EXPECT_EQ(shim_.calls("C_OpenSession"), sessions) << "sessions are kept";
}

TEST_F(Signing, TwoThreadsAreInTheTokenAtOnce) {
  shim_.close_gate("C_Sign");
  std::atomic<int> good = 0;
  std::thread first([&] { good += signs(key_) ? 1 : 0; });
  std::thread second([&] { good += signs(key_) ? 1 : 0; });
  shim_.wait_in_flight("C_Sign", 2);  // a build that signs one by one never gets past this
  EXPECT_EQ(token_->probe().sessions_in_use, 2U);
  shim_.open_gate("C_Sign");
  first.join();
  second.join();
  EXPECT_EQ(good, 2);
  EXPECT_EQ(shim_.most_in_flight("C_Sign"), 2U);
}

TEST_F(Signing, ManyThreadsManySignatures) {
  constexpr int kThreads = 8;
  constexpr int kEach = 200;
  const crypto::PrivateKey rsa = token_->generate(spec("RSA-2048"), "rsa");
  const unsigned long before = shim_.calls("C_Sign");
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        good += signs(t == 0 && i % 8 == 0 ? rsa : key_) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(good, kThreads * kEach);
  EXPECT_EQ(shim_.calls("C_Sign"), before + kThreads * kEach);
  EXPECT_EQ(token_->probe().sessions_in_use, 0U);
}

TEST_F(Signing, KeyOutlivesItsToken) {
  token_.reset();
  EXPECT_TRUE(signs(key_));
}

TEST_F(Signing, SessionThatSawAnErrorIsClosedAndNotUsedAgain) {
  // Fails before the real call: the session is left with an active operation for ever.
  shim_.fail("C_Sign", CKR_DEVICE_ERROR);
  const unsigned long closed = shim_.calls("C_CloseSession");
  EXPECT_EQ(refusal([&] { static_cast<void>(signs(key_)); }), "token token.failed");
  EXPECT_EQ(shim_.calls("C_CloseSession"), closed + 1);
  EXPECT_TRUE(signs(key_));
  EXPECT_EQ(token_->probe().sessions_in_use, 0U);
}

TEST_F(Signing, FailedSignIsNotRepeated) {
  shim_.fail_after("C_Sign", CKR_GENERAL_ERROR);  // a signature was made; its result is lost
  const unsigned long before = shim_.calls("C_Sign");
  EXPECT_EQ(refusal([&] { static_cast<void>(signs(key_)); }), "token token.failed");
  EXPECT_EQ(shim_.calls("C_Sign"), before + 1);
}

TEST_F(Signing, LostSessionIsHiddenByOneNewSession) {
  shim_.fail("C_SignInit", CKR_SESSION_HANDLE_INVALID);
  EXPECT_TRUE(signs(key_));
  shim_.fail("C_Sign", CKR_SESSION_CLOSED);
  EXPECT_TRUE(signs(key_));
  shim_.fail("C_SignInit", CKR_DEVICE_ERROR);
  EXPECT_TRUE(signs(key_));
}

/// The third attempt is the last, after another login.
TEST_F(Signing, RetriesInAnotherSessionThenAfterAnotherLoginThenNoMore) {
  shim_.fail("C_SignInit", CKR_SESSION_HANDLE_INVALID, 3);
  const unsigned long before = shim_.calls("C_SignInit");
  EXPECT_TRUE(signs(key_));
  EXPECT_EQ(shim_.calls("C_SignInit"), before + 5) << "one is the proof after the login";
  EXPECT_EQ(token_->probe().logins, 2U);
  shim_.fail("C_SignInit", CKR_SESSION_HANDLE_INVALID, 4);
  EXPECT_EQ(refusal([&] { static_cast<void>(signs(key_)); }), "token token.session_lost");
  EXPECT_EQ(shim_.calls("C_SignInit"), before + 9);
  while (refusal([&] { static_cast<void>(signs(key_)); }) != "none") {  // it rests
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

TEST_F(Signing, WrongMechanismIsNotTriedAgain) {
  shim_.fail("C_SignInit", CKR_MECHANISM_INVALID);
  const unsigned long before = shim_.calls("C_SignInit");
  EXPECT_EQ(refusal([&] { static_cast<void>(signs(key_)); }), "token token.unsupported");
  EXPECT_EQ(shim_.calls("C_SignInit"), before + 1);
}

TEST_F(Signing, NoNewSessionIsAnErrorAndLeavesThePoolWhole) {
  shim_.fail("C_SignInit", CKR_DEVICE_ERROR);
  shim_.fail("C_OpenSession", CKR_HOST_MEMORY);
  EXPECT_EQ(refusal([&] { static_cast<void>(signs(key_)); }), "token token.exhausted");
  EXPECT_EQ(token_->probe().sessions_in_use, 0U);
  EXPECT_EQ(token_->probe().sessions_open, 0U);
  EXPECT_TRUE(signs(key_));
}

TEST_F(Signing, SignatureOfTheWrongLengthIsRefused) {
  shim_.fail("C_Sign", CKR_OK);  // says it is done, but wrote nothing: the size is the buffer's
  EXPECT_EQ(refusal([&] { static_cast<void>(signs(key_)); }), "token token.signature_malformed");
  EXPECT_TRUE(signs(key_));
}

}  // namespace
}  // namespace estia::hsm
