// SPDX-License-Identifier: Apache-2.0
#include "server/est/key_response.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <numeric>

#include "tests/support/refusal.h"

namespace estia::est {
namespace {

constexpr std::string_view kTypePrefix = "multipart/mixed; boundary=";

Bytes counting(std::size_t size) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

class KeyResponseTest : public ::testing::Test {
 protected:
  void SetUp() override { open_secure_heap(1U << 20U); }
};

TEST_F(KeyResponseTest, TwoPartsTheKeyFirstAndNothingElse_EST_4_4_2_a) {
  for (const auto& [form, type] :
       {std::pair{KeyForm::pkcs8, "application/pkcs8"},
        std::pair{KeyForm::encrypted, "application/pkcs7-mime; smime-type=server-generated-key"}}) {
    // Every padding of base64, for both parts.
    for (const std::size_t size : {66U, 67U, 68U, 1217U, 2400U}) {
      const Bytes key = counting(size);
      const Bytes certificate = counting(size + 1);
      const KeyResponse response = key_response(form, key, certificate);
      ASSERT_TRUE(response.content_type.starts_with(kTypePrefix));
      const std::string line = "--" + response.content_type.substr(kTypePrefix.size());
      EXPECT_EQ(form == KeyForm::pkcs8 ? as_text(response.secret_body.view()) : response.body,
                line + "\r\nContent-Type: " + type +
                    "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64_encode(key) + "\r\n" +
                    line +
                    "\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only"
                    "\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                    base64_encode(certificate) + "\r\n" + line + "--\r\n");
    }
  }
}

TEST_F(KeyResponseTest, AKeyInTheClearIsInTheSecureHeapAloneAndAnEncryptedOneIsNot) {
  const Bytes key = counting(138);
  const std::size_t before = ::CRYPTO_secure_used();
  {
    KeyResponse response = key_response(KeyForm::pkcs8, key, key);
    EXPECT_EQ(::CRYPTO_secure_allocated(response.secret_body.data()), 1);
    EXPECT_TRUE(response.body.empty());
  }
  EXPECT_EQ(::CRYPTO_secure_used(), before);
  EXPECT_EQ(key_response(KeyForm::encrypted, key, key).secret_body.size(), 0U);
  EXPECT_EQ(::CRYPTO_secure_used(), before);
}

TEST_F(KeyResponseTest, BoundariesAreNeverTheSame) {
  const Bytes part = counting(3);
  const std::string first = key_response(KeyForm::pkcs8, part, part).content_type;
  EXPECT_NE(first, key_response(KeyForm::pkcs8, part, part).content_type);
  EXPECT_EQ(first.size(), kTypePrefix.size() + 32);
}

TEST_F(KeyResponseTest, WhatDoesNotFitIsRefused) {
  const Bytes part = counting(3);
  const Bytes huge((1U << 20U) + 1);
  for (const auto& [key, certificate] : {std::pair{huge, part}, std::pair{part, huge}}) {
    EXPECT_EQ(
        test::refusal([&] { static_cast<void>(key_response(KeyForm::pkcs8, key, certificate)); }),
        "internal base64.too_large");
  }
}

}  // namespace
}  // namespace estia::est
