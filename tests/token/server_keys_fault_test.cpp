// SPDX-License-Identifier: Apache-2.0
// A token that fails, lies or is slow while it makes keys for clients: nothing stays in it, no
// session is lost, and the next key is made.
#include <gtest/gtest.h>

#include <thread>

#include "tests/token/server_keys_test_base.h"

namespace estia::hsm {
namespace {

class ServerKeysFaults : public ServerKeysTestBase {
 protected:
  void SetUp() override {
    token_ = open_shim();
    keys_ = server_keys(token_);
  }

  void expect_nothing_left() {
    EXPECT_EQ(session_objects(), kept_);
    EXPECT_EQ(token_->probe().sessions_in_use, 0U);
    EXPECT_EQ(keys_->status().running, 0U);
    EXPECT_EQ(delivered(*keys_, "P-256"), "P-256");
  }

  std::shared_ptr<Token> token_;
  std::unique_ptr<ServerKeys> keys_;
  std::size_t kept_ = 1;  // session objects that must stay: the wrapping key
};

TEST_F(ServerKeysFaults, AnyFailedCallLeavesNothing) {
  for (const char* function :
       {"C_GenerateKeyPair", "C_GetAttributeValue", "C_WrapKey", "C_DestroyObject"}) {
    SCOPED_TRACE(function);
    shim_.fail(function, CKR_DEVICE_ERROR);
    EXPECT_EQ(delivered(*keys_, "P-256"), "token token.failed");
    expect_nothing_left();
  }
}

/// The token has made or destroyed it, and does not say so.
TEST_F(ServerKeysFaults, ACallThatWorkedAndFailedLeavesNothing) {
  for (const char* function : {"C_GenerateKeyPair", "C_WrapKey", "C_DestroyObject"}) {
    SCOPED_TRACE(function);
    shim_.fail_after(function, CKR_DEVICE_ERROR);
    EXPECT_EQ(delivered(*keys_, "P-256"), "token token.failed");
    expect_nothing_left();
  }
}

TEST_F(ServerKeysFaults, BothObjectsAreTriedWhenTheFirstIsNotDestroyed) {
  const unsigned long before = shim_.calls("C_DestroyObject");
  const unsigned long closed = shim_.calls("C_CloseSession");
  shim_.fail("C_DestroyObject", CKR_DEVICE_ERROR, 2);
  EXPECT_EQ(delivered(*keys_, "P-256"), "token token.failed");
  EXPECT_EQ(shim_.calls("C_DestroyObject"), before + 2);
  EXPECT_EQ(shim_.calls("C_CloseSession"), closed + 1) << "which ends what it made";
  expect_nothing_left();
}

TEST_F(ServerKeysFaults, AKeyThatTheTokenWillNotWrapIsUnsupported) {
  shim_.fail("C_WrapKey", CKR_KEY_NOT_WRAPPABLE);
  EXPECT_EQ(delivered(*keys_, "P-384"), "conflict serverkeygen.unsupported");
  expect_nothing_left();
}

TEST_F(ServerKeysFaults, AWrappedKeyThatWasChangedIsRefused) {
  shim_.corrupt_wrapped(true);
  EXPECT_EQ(delivered(*keys_, "P-256"), "token token.wrap_failed");
  shim_.corrupt_wrapped(false);
  expect_nothing_left();
}

TEST_F(ServerKeysFaults, AnotherKeyThanThePublicKeysIsRefused) {
  shim_.repeat_attributes(true);
  EXPECT_EQ(delivered(*keys_, "P-256"), "P-256");
  EXPECT_EQ(delivered(*keys_, "P-256"), "token token.wrap_mismatch");
  shim_.repeat_attributes(false);
  expect_nothing_left();
}

TEST_F(ServerKeysFaults, AnotherKindThanAskedForIsRefused) {
  shim_.repeat_attributes(true);
  EXPECT_EQ(delivered(*keys_, "P-256"), "P-256");
  const unsigned long wrapped = shim_.calls("C_WrapKey");
  EXPECT_EQ(delivered(*keys_, "P-384"), "token token.key_weak");
  EXPECT_EQ(shim_.calls("C_WrapKey"), wrapped);
  shim_.repeat_attributes(false);
  expect_nothing_left();
}

TEST_F(ServerKeysFaults, MoreAtOnceThanTheLimitAreBusyAndSigningGoesOn) {
  const crypto::PrivateKey ca = token_->generate(spec("P-256"), "ca");
  ++kept_;  // its session copy
  keys_ = server_keys(token_, {.at_once = 2, .rsa_at_once = 1, .stock = {}});
  shim_.close_gate("C_GenerateKeyPair");
  const auto expect_made = [&](const char* kind) {
    return std::thread([this, kind] { EXPECT_EQ(delivered(*keys_, kind), kind); });
  };
  std::thread first = expect_made("P-256");
  std::thread second = expect_made("P-384");
  shim_.wait_in_flight("C_GenerateKeyPair", 2);
  EXPECT_EQ(keys_->status().running, 2U);
  EXPECT_EQ(delivered(*keys_, "P-256"), "busy serverkeygen.busy");
  std::thread third = expect_made("RSA-2048");
  shim_.wait_in_flight("C_GenerateKeyPair", 3);
  EXPECT_EQ(delivered(*keys_, "RSA-2048"), "busy serverkeygen.busy");
  EXPECT_TRUE(signs(ca));
  shim_.open_gate("C_GenerateKeyPair");
  first.join();
  second.join();
  third.join();
  EXPECT_EQ(shim_.most_in_flight("C_GenerateKeyPair"), 3U);
  expect_nothing_left();
}

}  // namespace
}  // namespace estia::hsm
