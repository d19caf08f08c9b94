// SPDX-License-Identifier: Apache-2.0
// Keys for clients that the token itself encrypts: SoftHSM has RSAES-OAEP with SHA-1 and RFC 5649.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "crypto/base/der.h"
#include "tests/support/pkcs8.h"
#include "tests/support/software_keys.h"
#include "tests/support/token_encrypted.h"
#include "tests/token/server_keys_test_base.h"

namespace estia::hsm {
namespace {

using crypto::TokenCipher;
using test::refusal;

class EncryptedKeysTest : public ServerKeysTestBase {
 protected:
  void SetUp() override {
    token_ = open_shim();
    keys_ = server_keys(token_);
  }

  [[nodiscard]] crypto::TokenRecipient recipient(
      const std::string& digest = "SHA1", TokenCipher cipher = TokenCipher::aes256_wrap_pad) const {
    return {client_.public_key(), digest, cipher};
  }
  [[nodiscard]] std::string refused(const crypto::TokenRecipient& recipient,
                                    const std::string& kind = "P-256") {
    return refusal([&] { static_cast<void>(keys_->generate_for(spec(kind), recipient)); });
  }
  void expect_made(const std::string& kind) {
    const crypto::TokenRecipient to = recipient();
    const GeneratedEncryptedKey made = keys_->generate_for(spec(kind), to);
    const crypto::PrivateKey read =
        test::from_pkcs8(without_padding(test::opened(client_, to, made.key)));
    EXPECT_EQ(read.public_key(), made.public_key);
    ASSERT_TRUE(made.public_key.spec());
    EXPECT_EQ(made.public_key.spec()->name, kind);
    EXPECT_TRUE(signs(read));
  }
  void wait_for_stock() {
    for (int i = 0; i < 600 && keys_->status().in_stock == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ASSERT_EQ(keys_->status().in_stock, 1U);
  }
  void expect_nothing_left() {
    EXPECT_EQ(session_objects(), 1U) << "the wrapping key";
    EXPECT_EQ(token_->probe().sessions_in_use, 0U);
    EXPECT_EQ(keys_->status().running, 0U);
    EXPECT_EQ(refused(recipient()), "none");
  }
  /// One element, and up to seven octets of zero.
  static Bytes without_padding(const Bytes& opened) {
    ByteView rest = opened;
    const ByteView whole = der::read(rest).whole;
    EXPECT_LT(rest.size(), 8U);
    EXPECT_TRUE(std::ranges::all_of(rest, [](auto octet) { return octet == 0; }));
    return {whole.begin(), whole.end()};
  }

  const crypto::PrivateKey client_ = test::software_key("RSA-2048");
  std::shared_ptr<Token> token_;
  std::unique_ptr<ServerKeys> keys_;
};

TEST_F(EncryptedKeysTest, TheTokenTellsWhatItDoes) {
  EXPECT_EQ(keys_->encryption().oaep_digests, std::vector<std::string>{"SHA1"});
  EXPECT_EQ(keys_->encryption().ciphers, std::vector{TokenCipher::aes256_wrap_pad});
  EXPECT_EQ(session_objects(), 1U) << "the wrapping key";
}

TEST_F(EncryptedKeysTest, EveryCurveAndSize) {
  for (const char* kind : {"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096"}) {
    SCOPED_TRACE(kind);
    expect_made(kind);
  }
  expect_nothing_left();
}

TEST_F(EncryptedKeysTest, EachHasAContentKeyOfItsOwn) {
  const auto content_key = [&] {
    const auto made = keys_->generate_for(spec("P-256"), recipient());
    return test::opened_content_key(client_, "SHA1", made.key.content_key);
  };
  EXPECT_NE(content_key(), content_key());
}

/// The content key for its recipient, and the key under it: no other key's value is known here.
TEST_F(EncryptedKeysTest, TwoKeysAreWrappedForOne) {
  const unsigned long wrapped = shim_.calls("C_WrapKey");
  const unsigned long secrets = shim_.calls("C_GenerateKey");
  static_cast<void>(keys_->generate_for(spec("P-256"), recipient()));
  EXPECT_EQ(shim_.calls("C_WrapKey"), wrapped + 2);
  EXPECT_EQ(shim_.calls("C_GenerateKey"), secrets + 1);
}

TEST_F(EncryptedKeysTest, NobodyElseOpensIt) {
  const crypto::TokenRecipient to = recipient();
  const auto made = keys_->generate_for(spec("P-256"), to);
  EXPECT_EQ(refusal([&] {
              static_cast<void>(test::opened(
                  crypto::PrivateKey::generate_software(spec("RSA-2048")), to, made.key));
            }),
            "internal openssl.failed");
}

TEST_F(EncryptedKeysTest, WhatTheTokenDoesNotDoIsRefusedBeforeItIsAsked) {
  const unsigned long wrapped = shim_.calls("C_WrapKey");
  EXPECT_EQ(refused(recipient("SHA2-256")), "conflict serverkeygen.unsupported");
  EXPECT_EQ(refused(recipient("SHA1", TokenCipher::aes256_cbc)),
            "conflict serverkeygen.unsupported");
  EXPECT_EQ(refused(recipient(), "Ed25519"), "conflict serverkeygen.unsupported");
  EXPECT_EQ(shim_.calls("C_WrapKey"), wrapped);
  expect_nothing_left();
}

TEST_F(EncryptedKeysTest, AnyFailedCallLeavesNothing) {
  for (const char* function : {"C_GenerateKeyPair", "C_GetAttributeValue", "C_GenerateKey",
                               "C_CreateObject", "C_WrapKey", "C_DestroyObject"}) {
    for (const unsigned long passing : {0UL, 1UL}) {
      if (passing == 1 && std::string(function) != "C_WrapKey" &&
          std::string(function) != "C_DestroyObject") {
        continue;  // there is one
      }
      SCOPED_TRACE(std::string(function) + " after " + std::to_string(passing));
      shim_.fail(function, CKR_DEVICE_ERROR, 1, passing);
      EXPECT_EQ(refused(recipient()), "token token.failed");
      expect_nothing_left();
    }
  }
}

TEST_F(EncryptedKeysTest, ACallThatWorkedAndFailedLeavesNothing) {
  for (const char* function :
       {"C_GenerateKeyPair", "C_GenerateKey", "C_CreateObject", "C_WrapKey"}) {
    SCOPED_TRACE(function);
    shim_.fail_after(function, CKR_DEVICE_ERROR);
    EXPECT_EQ(refused(recipient()), "token token.failed");
    expect_nothing_left();
  }
}

/// Found in review: nothing tied what was encrypted to the public key.
TEST_F(EncryptedKeysTest, AHandleThatNamesAnotherObjectIsRefused) {
  shim_.repeat_attributes(true);
  EXPECT_EQ(refused(recipient()), "none");
  EXPECT_EQ(refused(recipient()), "token token.wrap_mismatch");
  shim_.repeat_attributes(false);
  expect_nothing_left();
}

/// Found in review: a client emptied the stock by a key of its own that the token does not take.
TEST_F(EncryptedKeysTest, WhatIsWrongWithARecipientCostsNoPairOfTheStock) {
  keys_ = server_keys(token_, {.at_once = 4, .rsa_at_once = 1, .stock = {{"RSA-2048", 1}}});
  wait_for_stock();
  const auto before = keys_->status();
  for (const char* function : {"C_GenerateKey", "C_CreateObject", "C_WrapKey"}) {
    shim_.fail(function, CKR_GENERAL_ERROR);
    EXPECT_EQ(refused(recipient(), "RSA-2048"), "token token.failed") << function;
    EXPECT_EQ(delivered(*keys_, "P-256"), "P-256");  // else these failures restart the module
  }
  EXPECT_EQ(keys_->status().in_stock, 1U);
  EXPECT_EQ(keys_->status().destroyed, before.destroyed);
  EXPECT_EQ(token_->probe().sessions_in_use, 1U) << "the stock's";
}

TEST_F(EncryptedKeysTest, AKeyThatTheTokenWillNotWrapIsUnsupported) {
  shim_.fail("C_WrapKey", CKR_KEY_NOT_WRAPPABLE, 1, 1);  // the content key's passes
  EXPECT_EQ(refused(recipient()), "conflict serverkeygen.unsupported");
  expect_nothing_left();
}

/// Where both sides know the AES key because we imported it, the token may do no OAEP at all.
TEST_F(EncryptedKeysTest, ATokenWithoutOaepEncryptsNothing) {
  shim_.fail("C_WrapKey", CKR_MECHANISM_INVALID, 4);  // every digest
  keys_ = server_keys(token_);
  EXPECT_EQ(keys_->status().wrapping_key, "imported");
  EXPECT_FALSE(keys_->encryption().possible());
  EXPECT_EQ(refused(recipient()), "conflict serverkeygen.unsupported");
  EXPECT_EQ(delivered(*keys_, "P-256"), "P-256");
}

TEST_F(EncryptedKeysTest, ComesFromTheStockToo) {
  keys_ = server_keys(token_, {.at_once = 4, .rsa_at_once = 1, .stock = {{"RSA-2048", 1}}});
  wait_for_stock();
  expect_made("RSA-2048");
  EXPECT_EQ(keys_->status().delivered, 1U);
}

}  // namespace
}  // namespace estia::hsm
