// SPDX-License-Identifier: Apache-2.0
#include "hsm/server_keys.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/pkcs8.h"
#include "tests/token/server_keys_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

class ServerKeysTest : public ServerKeysTestBase {
 protected:
  /// One key of that kind, as OpenSSL would write it, and nothing left in the token.
  void expect_delivered(const std::string& kind) {
    const auto token = open_shim();
    ServerKeys keys(*token, {}, clock_);
    EXPECT_TRUE(keys.supports(spec(kind)));
    const std::size_t before = session_objects();
    const unsigned long made = shim_.calls("C_GenerateKeyPair");
    const GeneratedKey key = keys.generate(spec(kind));
    EXPECT_EQ(shim_.calls("C_GenerateKeyPair"), made + 1);
    EXPECT_EQ(session_objects(), before);
    const crypto::PrivateKey read = test::from_pkcs8(key.pkcs8.view());
    EXPECT_EQ(read.public_key(), key.public_key);
    EXPECT_TRUE(signs(read));
    const Bytes delivered(key.pkcs8.view().begin(), key.pkcs8.view().end());
    EXPECT_TRUE(delivered == test::usual_pkcs8(read)) << "not printed: it is a key";
    ASSERT_TRUE(key.public_key.spec());
    EXPECT_EQ(key.public_key.spec()->name, kind);
  }
};

TEST_F(ServerKeysTest, P256) {
  expect_delivered("P-256");
}
TEST_F(ServerKeysTest, P384) {
  expect_delivered("P-384");
}
TEST_F(ServerKeysTest, P521) {
  expect_delivered("P-521");
}
TEST_F(ServerKeysTest, Rsa2048) {
  expect_delivered("RSA-2048");
}
TEST_F(ServerKeysTest, Rsa3072) {
  expect_delivered("RSA-3072");
}
TEST_F(ServerKeysTest, Rsa4096) {
  expect_delivered("RSA-4096");
}

/// SoftHSM 2.6.1 answers CKR_KEY_NOT_WRAPPABLE.
TEST_F(ServerKeysTest, Ed25519IsRefusedBeforeAnythingIsMade) {
  const auto token = open_shim();
  ServerKeys keys(*token, {}, clock_);
  const unsigned long made = shim_.calls("C_GenerateKeyPair");
  EXPECT_FALSE(keys.status().ed25519);
  EXPECT_FALSE(keys.supports(spec("Ed25519")));
  EXPECT_EQ(refused(keys, "Ed25519"), "conflict serverkeygen.unsupported");
  EXPECT_EQ(shim_.calls("C_GenerateKeyPair"), made);
}

TEST_F(ServerKeysTest, StatusSaysWhatWasFoundOut) {
  const auto token = open_shim();
  const ServerKeys keys(*token, {}, clock_);
  const ServerKeysStatus status = keys.status();
  EXPECT_EQ(status.mechanism, "CKM_AES_KEY_WRAP_PAD (RFC 5649)");
  EXPECT_EQ(status.wrapping_key, "made in the token");
  EXPECT_NE(status.refused.find("CKM_AES_KEY_WRAP_KWP, P-256: C_WrapKey: CKR_MECHANISM_INVALID"),
            std::string::npos)
      << status.refused;
  EXPECT_EQ(status.running, 0U);
  EXPECT_EQ(session_objects(), 1U) << "the wrapping key";
  EXPECT_EQ(token->probe().sessions_in_use, 0U);
}

TEST_F(ServerKeysTest, NothingStaysWhenTheyGo) {
  const auto token = open_shim();
  {
    ServerKeys keys(*token, {}, clock_);
    static_cast<void>(keys.generate(spec("P-256")));
  }
  EXPECT_EQ(session_objects(), 0U);
}

TEST_F(ServerKeysTest, AWrappingKeyIsImportedWhereTheTokenTellsNone) {
  const auto token = open_shim();
  for (const char* function : {"C_GenerateKey", "C_WrapKey"}) {
    shim_.fail(function, CKR_MECHANISM_INVALID, function == std::string("C_WrapKey") ? 4 : 1);
    ServerKeys keys(*token, {}, clock_);
    EXPECT_EQ(keys.status().wrapping_key, "imported") << function;
    EXPECT_EQ(session_objects(), 1U);
    EXPECT_EQ(delivered(keys, "P-256"), "P-256");
  }
}

TEST_F(ServerKeysTest, ATokenThatTakesNoWrappingKeyIsNoError) {
  const auto token = open_shim();
  shim_.fail("C_GenerateKey", CKR_FUNCTION_NOT_SUPPORTED);
  shim_.fail("C_CreateObject", CKR_ATTRIBUTE_VALUE_INVALID);
  ServerKeys keys(*token, {}, clock_);
  EXPECT_EQ(keys.status().wrapping_key, "");
  EXPECT_EQ(keys.status().mechanism, "");
  EXPECT_EQ(refused(keys, "P-256"), "conflict serverkeygen.unsupported");
  EXPECT_EQ(session_objects(), 0U);
}

/// The second reading of 0x210A is not SoftHSM's, and the others it does not know.
TEST_F(ServerKeysTest, ATokenThatWrapsNothingIsNoError) {
  const auto token = open_shim();
  shim_.fail("C_WrapKey", CKR_KEY_UNEXTRACTABLE, 2, 4);  // the wrapping key passes
  ServerKeys keys(*token, {}, clock_);
  EXPECT_EQ(keys.status().mechanism, "");
  EXPECT_NE(keys.status().refused.find("a wrapped key that does not unwrap"), std::string::npos)
      << keys.status().refused;
  EXPECT_EQ(refused(keys, "P-256"), "conflict serverkeygen.unsupported");
  EXPECT_EQ(session_objects(), 1U);
}

/// Found in review: such a token made keys for nobody.
TEST_F(ServerKeysTest, ATokenWithoutCurvesMakesRsaKeys) {
  const auto token = open_shim();
  shim_.fail("C_GenerateKeyPair", CKR_MECHANISM_INVALID);
  const auto keys = server_keys(token);
  EXPECT_FALSE(keys->supports(spec("P-256")));
  EXPECT_TRUE(keys->supports(spec("RSA-2048")));
  EXPECT_EQ(delivered(*keys, "P-256"), "conflict serverkeygen.unsupported");
  EXPECT_EQ(delivered(*keys, "RSA-2048"), "RSA-2048");
  EXPECT_NE(keys->status().refused.find("P-256: C_GenerateKeyPair"), std::string::npos)
      << keys->status().refused;
}

/// Found in review: one fault at the start, and no keys were made for as long as the process lived.
TEST_F(ServerKeysTest, ATokenThatIsGoneAtTheStartIsAskedLater) {
  const auto token = open_shim();
  for (const char* function : {"C_GenerateKey", "C_WrapKey", "C_GenerateKeyPair"}) {
    shim_.fail(function, CKR_DEVICE_REMOVED);
    const auto keys = server_keys(token);
    EXPECT_NE(keys->status().refused.find("token.gone"), std::string::npos) << function;
    EXPECT_TRUE(keys->supports(spec("P-256")));
    EXPECT_EQ(delivered(*keys, "P-256"), "P-256") << function;
  }
  const std::uint64_t restarts = token->probe().restarts;
  shim_.fail("C_WrapKey", CKR_TOKEN_NOT_PRESENT, 1, 4);  // the probe's
  EXPECT_NE(server_keys(token)->status().refused.find("token.gone"), std::string::npos);
  while (token->probe().restarts == restarts || token->probe().state != TokenState::attached) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // nobody else may call meanwhile
  }
  EXPECT_EQ(session_objects(), 0U);
  EXPECT_EQ(token->probe().sessions_in_use, 0U);
}

/// Found in review: a failure that is no refusal counted as one, for the life of the login.
TEST_F(ServerKeysTest, WhatFailedWithoutAReasonIsTriedAgain) {
  const auto token = open_shim();
  shim_.fail("C_WrapKey", CKR_DEVICE_ERROR, 1000);
  const auto keys = server_keys(token, {.at_once = 1, .rsa_at_once = 1, .stock = {{"P-256", 1}}});
  EXPECT_TRUE(keys->supports(spec("P-256"))) << "it is not known";
  EXPECT_EQ(delivered(*keys, "P-256"), "token token.failed") << "503, not 409";
  shim_.fail("C_WrapKey", CKR_OK, 0);
  EXPECT_EQ(delivered(*keys, "P-256"), "token token.failed") << "not with every request";
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(delivered(*keys, "P-256"), "P-256");
}

TEST_F(ServerKeysTest, SigningKeepsASession) {
  open_secure_heap(kSecureHeap);
  TokenConfig narrow = config();
  narrow.max_sessions = 5;
  const auto token = Token::open(narrow);
  EXPECT_EQ(refusal([&] {
              const ServerKeys keys(*token, {.at_once = 4, .rsa_at_once = 1, .stock = {}}, clock_);
            }),
            "config serverkeygen.sessions");
  EXPECT_EQ(refusal([&] {
              const ServerKeys keys(*token, {.at_once = 3, .rsa_at_once = 1, .stock = {}}, clock_);
            }),
            "none");
}

TEST_F(ServerKeysTest, TheSecureHeapIsNeeded) {
  // Not opened in this process: the test's base opens it in open_shim().
  const auto token = Token::open(config());
  EXPECT_EQ(refusal([&] { const ServerKeys keys(*token, {}, clock_); }),
            "internal secure_heap.not_open");
}

TEST_F(ServerKeysTest, ManyAtOnceBesideSignatures) {
  const auto token = open_shim();
  const crypto::PrivateKey ca = token->generate(spec("P-256"), "ca");
  ServerKeys keys(*token, {.at_once = 4, .rsa_at_once = 1, .stock = {}}, clock_);
  const unsigned long before = shim_.calls("C_GenerateKeyPair");
  std::atomic<int> good = 0;
  std::vector<std::thread> running;
  for (int t = 0; t < 4; ++t) {
    running.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        good += delivered(keys, "P-256") == "P-256" ? 1 : 0;
        good += signs(ca) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : running) {
    thread.join();
  }
  EXPECT_EQ(good, 160);
  EXPECT_EQ(shim_.calls("C_GenerateKeyPair"), before + 80);
  EXPECT_EQ(token->probe().sessions_in_use, 0U);
  EXPECT_EQ(keys.status().running, 0U);
}

}  // namespace
}  // namespace estia::hsm
