// SPDX-License-Identifier: Apache-2.0
// Keys for clients from NSS's token: it wraps in three ways that SoftHSM does not have.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>

#include "crypto/base/der.h"
#include "hsm/ckr.h"
#include "hsm/sealing_key.h"
#include "hsm/server_keys.h"
#include "tests/support/pkcs8.h"
#include "tests/support/refusal.h"
#include "tests/support/shim.h"
#include "tests/support/softokn_database.h"
#include "tests/support/software_keys.h"
#include "tests/support/token_encrypted.h"
#include "tests/token/token_test_base.h"

namespace estia::hsm {
namespace {

class Softokn : public ::testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    open_secure_heap(std::size_t{1} << 20U);
    token_ = Token::open(database_.config());
  }

  /// After so many mechanisms were refused, the best ones first.
  [[nodiscard]] std::unique_ptr<ServerKeys> server_keys(unsigned long refused = 0) const {
    shim_.fail("C_WrapKey", CKR_MECHANISM_INVALID, refused, 4);  // the wrapping key, by each digest
    auto keys = std::make_unique<ServerKeys>(*token_, ServerKeysLimits{}, clock_);
    EXPECT_EQ(keys->status().wrapping_key, "made in the token");
    return keys;
  }

  static void expect_delivered(ServerKeys& keys, const std::string& kind) {
    const GeneratedKey key = keys.generate(spec(kind));
    const crypto::PrivateKey read = test::from_pkcs8(key.pkcs8.view());
    EXPECT_EQ(read.public_key(), key.public_key);
    const Bytes delivered(key.pkcs8.view().begin(), key.pkcs8.view().end());
    EXPECT_TRUE(delivered == test::usual_pkcs8(read)) << "not printed: it is a key";
    ASSERT_TRUE(key.public_key.spec());
    EXPECT_EQ(key.public_key.spec()->name, kind);
  }

  const test::Shim shim_{ESTIA_SOFTOKN};
  const test::SoftoknDatabase database_{test::Shim::path()};
  const SystemClock clock_;
  std::shared_ptr<Token> token_;
};

TEST_F(Softokn, GivesEveryKindByRfc5649) {
  const auto keys = server_keys();
  EXPECT_EQ(keys->status().mechanism, "CKM_AES_KEY_WRAP_KWP") << keys->status().refused;
  for (const char* kind : {"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072"}) {
    expect_delivered(*keys, kind);
  }
}

/// Its CKM_AES_KEY_WRAP_PAD is not SoftHSM's.
TEST_F(Softokn, GivesKeysByRfc3394AndPkcs7) {
  const auto keys = server_keys(1);
  EXPECT_EQ(keys->status().mechanism, "CKM_AES_KEY_WRAP_PAD (RFC 3394, PKCS #7)")
      << keys->status().refused;
  expect_delivered(*keys, "P-256");
  expect_delivered(*keys, "P-521");
  expect_delivered(*keys, "RSA-2048");
}

TEST_F(Softokn, GivesKeysByCbc) {
  const auto keys = server_keys(3);
  EXPECT_EQ(keys->status().mechanism, "CKM_AES_CBC_PAD") << keys->status().refused;
  expect_delivered(*keys, "P-256");
  expect_delivered(*keys, "P-521");
  expect_delivered(*keys, "RSA-2048");
}

/// Nothing tells a key in CBC that was changed but the public key.
TEST_F(Softokn, AChangedKeyInCbcIsRefused) {
  const auto keys = server_keys(3);
  ASSERT_EQ(keys->status().mechanism, "CKM_AES_CBC_PAD");
  shim_.corrupt_wrapped(true);
  for (int i = 0; i < 20; ++i) {
    const std::string refused =
        test::refusal([&] { static_cast<void>(keys->generate(spec("P-256"))); });
    EXPECT_TRUE(refused.starts_with("token token.wrap_")) << refused;
  }
}

/// CBC is what every client of CMS reads; RFC 5649 for who lists that alone.
TEST_F(Softokn, EncryptsForClients) {
  const auto keys = server_keys();
  EXPECT_EQ(keys->encryption().oaep_digests,
            (std::vector<std::string>{"SHA2-256", "SHA2-384", "SHA2-512", "SHA1"}));
  EXPECT_EQ(keys->encryption().ciphers,
            (std::vector{crypto::TokenCipher::aes256_cbc, crypto::TokenCipher::aes256_wrap_pad}));
  const crypto::PrivateKey client = test::software_key("RSA-2048");
  for (const auto cipher : keys->encryption().ciphers) {
    for (const std::string& digest : keys->encryption().oaep_digests) {
      const crypto::TokenRecipient to{client.public_key(), digest, cipher};
      const GeneratedEncryptedKey made = keys->generate_for(spec("P-256"), to);
      const Bytes opened = test::opened(client, to, made.key);
      ByteView rest = opened;
      EXPECT_EQ(test::from_pkcs8(der::read(rest).whole).public_key(), made.public_key) << digest;
      EXPECT_EQ(rest.size(), 0U);
    }
  }
}

TEST_F(Softokn, Ed25519IsUnsupported) {
  const auto keys = server_keys();
  EXPECT_EQ(test::refusal([&] { static_cast<void>(keys->generate(spec("Ed25519"))); }),
            "conflict serverkeygen.unsupported");
}

TEST_F(Softokn, SealsSecrets) {
  SealingKey key(*token_);
  const std::string_view secret = "0123456789abcdef";
  const Bytes sealed = key.seal(as_bytes(secret), as_bytes("owner"));
  SealingKey another(*token_);
  EXPECT_EQ(as_text(another.open(sealed, as_bytes("owner")).view()), secret);
  EXPECT_EQ(test::refusal([&] { static_cast<void>(key.open(sealed, as_bytes("other"))); }),
            "store sealing.broken");
}

}  // namespace
}  // namespace estia::hsm
