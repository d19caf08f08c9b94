// SPDX-License-Identifier: Apache-2.0
// Keys for clients, and secrets under a key in the token: always by our own calls to it, whoever
// signs.
#include "hsm/server_keys.h"
#include <algorithm>

#include "crypto/base/der.h"
#include "hsm/sealing_key.h"
#include "tests/hsm/suite.h"
#include "tests/support/pkcs8.h"
#include "tests/support/software_keys.h"
#include "tests/support/token_encrypted.h"

namespace estia::hsm {
namespace {

class KeysForClients : public Suite {
 protected:
  /// Made, wrapped, unwrapped here, and the token's public key's.
  void comes_out(const std::string& capability, const std::vector<std::string>& kinds) {
    need(capability, [&] {
      ServerKeys keys(token(), {}, clock_);
      const bool all = std::ranges::none_of(kinds, [&](const auto& kind) { return can(kind); });
      for (const std::string& kind : kinds) {
        if (!all && !can(kind)) {
          continue;  // its own cell says so
        }
        const GeneratedKey key = keys.generate(crypto::KeySpec::parse(kind));
        EXPECT_EQ(test::from_pkcs8(key.pkcs8.view()).public_key(), key.public_key) << kind;
        ASSERT_TRUE(key.public_key.spec());
        EXPECT_EQ(key.public_key.spec()->name, kind);
      }
      EXPECT_EQ(keys_left(), 0U) << "a client's key is left in the token";
    });
  }

  /// Private keys in sessions that can leave the token: those that were made for clients.
  [[nodiscard]] std::size_t keys_left() const {
    std::size_t found = 0;
    raw([&](Attachment& attached, CK_SESSION_HANDLE session) {
      const Objects objects(attached.module(), session);
      Template wanted;
      wanted.flag(CKA_TOKEN, false).number(CKA_CLASS, CKO_PRIVATE_KEY);
      for (const CK_OBJECT_HANDLE object : objects.find(wanted, 100)) {
        found += objects.flag(object, CKA_EXTRACTABLE).value_or(true) ? 1U : 0U;
      }
    });
    return found;
  }

  const SystemClock clock_;
};

TEST_P(KeysForClients, OfCurvesComeOut) {
  comes_out("serverkeygen", {"P-256", "P-384", "P-521"});
}
TEST_P(KeysForClients, OfRsaComeOut) {
  comes_out("serverkeygen-rsa", {"RSA-2048"});
}
TEST_P(KeysForClients, OfEd25519ComeOut) {
  need("serverkeygen-Ed25519", [&] {
    ServerKeys keys(token(), {}, clock_);
    const GeneratedKey key = keys.generate(crypto::KeySpec::parse("Ed25519"));
    EXPECT_EQ(test::from_pkcs8(key.pkcs8.view()).public_key(), key.public_key);
  });
}

TEST_P(KeysForClients, ComeOutEncryptedForTheirRsaKey) {
  need("hsm-wrapped", [&] {
    ServerKeys keys(token(), {}, clock_);
    const crypto::TokenEncryption can_do = keys.encryption();
    if (!can_do.possible()) {
      throw Error(ErrorCode::conflict, "serverkeygen.unsupported", keys.status().refused);
    }
    const crypto::PrivateKey client = test::software_key("RSA-2048");
    const crypto::TokenRecipient to{client.public_key(), can_do.oaep_digests.front(),
                                    can_do.ciphers.front()};
    const GeneratedEncryptedKey made = keys.generate_for(crypto::KeySpec::parse(usual()), to);
    const Bytes opened = test::opened(client, to, made.key);
    ByteView rest = opened;
    EXPECT_EQ(test::from_pkcs8(der::read(rest).whole).public_key(), made.public_key);
  });
}

TEST_P(KeysForClients, SecretsAreSealed) {
  need("sealing", [&] {
    // Destroyed again at the end; but one that was there seals somebody's secrets.
    ASSERT_FALSE(has_object(SealingKey::kLabel)) << "the token has a sealing key already";
    destroy_afterwards(SealingKey::kLabel);
    SealingKey key(token());
    const std::string_view secret = "0123456789abcdef";
    const Bytes sealed = key.seal(as_bytes(secret), as_bytes("owner"));
    EXPECT_EQ(as_text(key.open(sealed, as_bytes("owner")).view()), secret);
    EXPECT_EQ(test::refusal([&] { static_cast<void>(key.open(sealed, as_bytes("other"))); }),
              "store sealing.broken");
  });
}

ESTIA_EVERY_NATIVE_CELL(KeysForClients);

}  // namespace
}  // namespace estia::hsm
