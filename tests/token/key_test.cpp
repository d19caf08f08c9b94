// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "crypto/base/bytes.h"
#include "tests/token/token_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

void expect_signs_only(const KeyAttributes& made, const std::string& kind) {
  EXPECT_TRUE(made.token);
  EXPECT_TRUE(made.sensitive);
  EXPECT_TRUE(made.always_sensitive);
  EXPECT_FALSE(made.extractable);
  EXPECT_TRUE(made.never_extractable);
  EXPECT_TRUE(made.local);
  EXPECT_TRUE(made.sign);
  EXPECT_FALSE(made.sign_recover);
  EXPECT_FALSE(made.decrypt);
  EXPECT_FALSE(made.unwrap);
  EXPECT_FALSE(made.derive);
  EXPECT_EQ(made.spec.name, kind);
}

class KeyKinds : public TokenTest {
 protected:
  void expect_usable(const std::string& kind) {
    const auto token = open();
    const crypto::PrivateKey made = token->generate(spec(kind), "ca");
    const KeyUri uri = token->uri_of("ca");
    EXPECT_EQ(uri.id().size(), 16U);
    expect_signs_only(token->attributes(uri), kind);
    const crypto::PrivateKey found = token->key(KeyUri::parse(uri.text()));
    EXPECT_EQ(found.public_key(), made.public_key());
    ASSERT_TRUE(found.public_key().spec());
    EXPECT_EQ(found.public_key().spec()->name, kind);
    const auto& algorithm = crypto::SignatureAlgorithm::for_key(found.public_key());
    for (int i = 0; i < 20; ++i) {  // ECDSA's integers vary in length
      const std::string message = "message " + std::to_string(i);
      const Bytes signature = found.sign(as_bytes(message));
      EXPECT_TRUE(found.public_key().verify(as_bytes(message), signature, algorithm));
      EXPECT_FALSE(found.public_key().verify(as_bytes("another"), signature, algorithm));
    }
    EXPECT_EQ(refusal([&] { static_cast<void>(found.to_pem()); }), "internal key.not_exportable");
  }
};

TEST_F(KeyKinds, P256) {
  expect_usable("P-256");
}
TEST_F(KeyKinds, P384) {
  expect_usable("P-384");
}
TEST_F(KeyKinds, P521) {
  expect_usable("P-521");
}
TEST_F(KeyKinds, Rsa2048) {
  expect_usable("RSA-2048");
}
TEST_F(KeyKinds, Rsa3072) {
  expect_usable("RSA-3072");
}
TEST_F(KeyKinds, Rsa4096) {
  expect_usable("RSA-4096");
}
TEST_F(KeyKinds, Ed25519) {
  expect_usable("Ed25519");
}

}  // namespace
}  // namespace estia::hsm
