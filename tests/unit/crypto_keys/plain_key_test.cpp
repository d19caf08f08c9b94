// SPDX-License-Identifier: Apache-2.0
// Keys made from their numbers are the keys that OpenSSL's decoder makes, and nothing more is
// taken.
#include "crypto/keys/plain_key.h"

#include <gtest/gtest.h>

#include "crypto/base/der.h"
#include "crypto/keys/public_key.h"
#include "crypto/openssl/library.h"
#include "tests/support/refusal.h"
#include "tests/support/software_keys.h"

namespace estia::crypto {
namespace {

using test::software_key;

constexpr const char* kEc = "1.2.840.10045.2.1";
constexpr const char* kRsa = "1.2.840.113549.1.1.1";
constexpr const char* kP256 = "1.2.840.10045.3.1.7";

EvpPkeyPtr decoded(const Bytes& spki) {
  const unsigned char* at = spki.data();
  return EvpPkeyPtr(
      ::d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(spki.size()), library(), nullptr));
}

Bytes written(const EvpPkeyPtr& key) {
  unsigned char* out = nullptr;
  const int size = ::i2d_PUBKEY(key.get(), &out);
  const OpenSslPtr<unsigned char> owned(out);
  return size > 0 ? Bytes(out, out + size) : Bytes();
}

Bytes spki_of(const Bytes& algorithm, const Bytes& key) {
  return der::sequence({algorithm, der::bit_string(key)});
}

Bytes point_of_p256() {
  const Bytes spki = software_key("P-256").public_key().spki();
  return Bytes(spki.end() - 65, spki.end());
}

TEST(PlainKey, IsTheKeyThatOpensslDecodes) {
  for (const KeySpec& spec : KeySpec::known()) {
    const Bytes spki = software_key(spec.name).public_key().spki();
    const EvpPkeyPtr plain = plain_key(spki);
    ASSERT_NE(plain, nullptr) << spec.name;
    EXPECT_EQ(::EVP_PKEY_eq(plain.get(), decoded(spki).get()), 1) << spec.name;
    EXPECT_EQ(written(plain), spki) << spec.name;
    EXPECT_EQ(::EVP_PKEY_get_bits(plain.get()), ::EVP_PKEY_get_bits(decoded(spki).get()));
    EXPECT_EQ(PublicKey::from_plain_spki(spki)->spec(), spec);
  }
}

TEST(PlainKey, VerifiesAsTheOther) {
  for (const KeySpec& spec : KeySpec::known()) {
    const PrivateKey key = software_key(spec.name);
    const auto& algorithm = SignatureAlgorithm::for_key(key.public_key());
    const Bytes message{1, 2, 3};
    Bytes signature = key.sign(message, algorithm);
    const auto plain = PublicKey::from_plain_spki(key.public_key().spki());
    EXPECT_TRUE(plain->verify(message, signature, algorithm)) << spec.name;
    EXPECT_FALSE(plain->verify(Bytes{1, 2, 4}, signature, algorithm)) << spec.name;
  }
}

TEST(PlainKey, LeavesOtherPointsAndCurvesToTheDecoder) {
  const Bytes p256 = der::sequence({der::oid(kEc), der::oid(kP256)});
  const Bytes point = point_of_p256();
  ASSERT_NE(plain_key(spki_of(p256, point)), nullptr);
  Bytes off = point;
  off.back() = static_cast<std::uint8_t>(off.back() ^ 1U);
  EXPECT_EQ(plain_key(spki_of(p256, off)), nullptr) << "off the curve";
  Bytes hybrid = point;
  hybrid[0] = static_cast<std::uint8_t>(0x06 | (point.back() & 1U));
  EXPECT_EQ(plain_key(spki_of(p256, hybrid)), nullptr);
  Bytes compressed(point.begin(), point.begin() + 33);
  compressed[0] = static_cast<std::uint8_t>(0x02 | (point.back() & 1U));
  EXPECT_EQ(plain_key(spki_of(p256, compressed)), nullptr);
  EXPECT_EQ(plain_key(spki_of(p256, Bytes{0x00})), nullptr) << "infinity";
  EXPECT_EQ(plain_key(spki_of(p256, {})), nullptr);
  EXPECT_EQ(plain_key(spki_of(der::sequence({der::oid(kEc), der::oid("1.3.132.0.10")}), point)),
            nullptr)
      << "secp256k1";
  EXPECT_EQ(plain_key(spki_of(der::sequence({der::oid(kEc), der::oid("1.3.132.0.34")}), point)),
            nullptr)
      << "a point of another curve";
  EXPECT_EQ(plain_key(spki_of(der::sequence({der::oid(kEc)}), point)), nullptr);
  EXPECT_EQ(plain_key(spki_of(der::sequence({der::oid(kEc), der::null()}), point)), nullptr);
}

TEST(PlainKey, LeavesOtherSpellingsOfRsaToTheDecoder) {
  const Bytes rsa = der::sequence({der::oid(kRsa), der::null()});
  const Bytes modulus(256, 0xA5);
  const Bytes exponent{1, 0, 1};
  const Bytes usual = der::sequence({der::integer(modulus), der::integer(exponent)});
  ASSERT_NE(plain_key(spki_of(rsa, usual)), nullptr);
  EXPECT_EQ(plain_key(spki_of(der::sequence({der::oid(kRsa)}), usual)), nullptr) << "no NULL";
  const Bytes negative = der::sequence({der::tlv(0x02, modulus), der::integer(exponent)});
  EXPECT_EQ(plain_key(spki_of(rsa, negative)), nullptr);
  const Bytes three =
      der::sequence({der::integer(modulus), der::integer(exponent), der::integer(exponent)});
  EXPECT_EQ(plain_key(spki_of(rsa, three)), nullptr);
  EXPECT_EQ(plain_key(spki_of(rsa, der::sequence({der::integer(modulus)}))), nullptr);
  EXPECT_EQ(plain_key(spki_of(rsa, der::sequence({}))), nullptr);
}

TEST(PlainKey, UnusedBitsAndFurtherElementsAreNotPlain) {
  const Bytes p256 = der::sequence({der::oid(kEc), der::oid(kP256)});
  Bytes bits = der::bit_string(point_of_p256());
  EXPECT_NE(plain_key(der::sequence({p256, bits})), nullptr);
  EXPECT_EQ(plain_key(der::sequence({p256, bits, der::null()})), nullptr);
  EXPECT_EQ(plain_key(der::sequence({p256})), nullptr);
  EXPECT_EQ(plain_key(der::sequence({})), nullptr);
  bits[2] = 0x01;
  EXPECT_EQ(plain_key(der::sequence({p256, bits})), nullptr);
  EXPECT_EQ(test::refusal([] { static_cast<void>(plain_key(Bytes{0x30})); }),
            "malformed der.malformed");
}

TEST(PlainKey, Ed25519HasExactly32Octets) {
  const Bytes ed25519 = der::sequence({der::oid("1.3.101.112")});
  EXPECT_NE(plain_key(spki_of(ed25519, Bytes(32, 0x11))), nullptr);
  EXPECT_EQ(plain_key(spki_of(ed25519, Bytes(31, 0x11))), nullptr);
  EXPECT_EQ(plain_key(spki_of(ed25519, Bytes(33, 0x11))), nullptr);
}

}  // namespace
}  // namespace estia::crypto
