// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/public_key.h"

#include <gtest/gtest.h>

#include <cctype>

#include "crypto/base/der.h"
#include "crypto/base/file.h"
#include "crypto/keys/private_key.h"
#include "tests/support/openssl_command.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/software_keys.h"

namespace estia::crypto {
namespace {

using test::openssl_command;
using test::refusal;
using test::software_key;

constexpr const char* kMalformed = "malformed key.malformed";

PublicKey fresh(const char* spec) {
  return PrivateKey::generate_software(KeySpec::parse(spec)).public_key();
}

std::string read(const Bytes& der) {
  return refusal([&] { static_cast<void>(PublicKey::from_spki(der)); });
}

/// The SubjectPublicKeyInfo that the openssl command makes with these arguments.
Bytes spki_by_openssl(const std::string& genpkey, const std::string& pkey = "") {
  const test::ScratchDirectory scratch;
  const std::string key = (scratch.path() / "key").string();
  const std::string out = (scratch.path() / "spki").string();
  const auto made = openssl_command("genpkey -out " + key + " " + genpkey);
  EXPECT_EQ(made.status, 0) << made.output;
  const auto written =
      openssl_command("pkey -in " + key + " -pubout -outform DER -out " + out + " " + pkey);
  EXPECT_EQ(written.status, 0) << written.output;
  const std::string der = read_file(out);
  return Bytes(der.begin(), der.end());
}

Bytes ec_spki(const char* curve, const Bytes& point) {
  return der::sequence(
      {der::sequence({der::oid("1.2.840.10045.2.1"), der::oid(curve)}), der::bit_string(point)});
}

TEST(PublicKey, RecognisesTheKindOfKeysMadeElsewhere) {
  const std::string ec = "-algorithm EC -pkeyopt ec_paramgen_curve:";
  EXPECT_EQ(PublicKey::from_spki(spki_by_openssl(ec + "P-256")).spec()->name, "P-256");
  EXPECT_EQ(PublicKey::from_spki(spki_by_openssl(ec + "P-521")).spec()->name, "P-521");
  EXPECT_EQ(PublicKey::from_spki(spki_by_openssl("-algorithm RSA -pkeyopt rsa_keygen_bits:3072"))
                .spec()
                ->name,
            "RSA-3072");
  EXPECT_EQ(PublicKey::from_spki(spki_by_openssl("-algorithm ED25519")).spec()->name, "Ed25519");
}

TEST(PublicKey, KindsNobodyListedHaveNoSpecAndNoStrength) {
  for (const char* genpkey :
       {"-algorithm X25519", "-algorithm ED448", "-algorithm RSA -pkeyopt rsa_keygen_bits:2056",
        "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-224",
        "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1"}) {
    const PublicKey key = PublicKey::from_spki(spki_by_openssl(genpkey));
    EXPECT_FALSE(key.spec()) << genpkey;
    EXPECT_EQ(refusal([&] { key.check_strength(); }), "malformed key.unsupported") << genpkey;
    EXPECT_EQ(refusal([&] { static_cast<void>(SignatureAlgorithm::for_key(key)); }),
              "malformed key.unsupported");
  }
}

TEST(PublicKey, RefusesAShortRsaKey) {
  const PublicKey key =
      PublicKey::from_spki(spki_by_openssl("-algorithm RSA -pkeyopt rsa_keygen_bits:1024"));
  EXPECT_EQ(refusal([&] { key.check_strength(); }), "malformed key.weak");
}

TEST(PublicKey, EveryKnownKindIsStrongEnough) {
  for (const KeySpec& spec : KeySpec::known()) {
    EXPECT_NO_THROW(software_key(spec.name).public_key().check_strength()) << spec.name;
  }
}

TEST(PublicKey, RefusesExplicitCurveParameters_X509_SPKI) {
  EXPECT_EQ(read(spki_by_openssl("-algorithm EC -pkeyopt ec_paramgen_curve:P-256 "
                                 "-pkeyopt ec_param_enc:explicit")),
            kMalformed);
}

TEST(PublicKey, RefusesASecondSpellingOfTheSamePoint) {
  const Bytes spki = fresh("P-256").spki();
  const Bytes point(spki.end() - 65, spki.end());
  ASSERT_EQ(read(ec_spki("1.2.840.10045.3.1.7", point)), "none");
  Bytes compressed(point.begin(), point.begin() + 33);
  compressed[0] = static_cast<std::uint8_t>(0x02 | (point.back() & 1U));
  EXPECT_EQ(read(ec_spki("1.2.840.10045.3.1.7", compressed)), kMalformed);
  Bytes hybrid = point;
  hybrid[0] = static_cast<std::uint8_t>(0x06 | (point.back() & 1U));
  EXPECT_EQ(read(ec_spki("1.2.840.10045.3.1.7", hybrid)), kMalformed);
}

TEST(PublicKey, RefusesPointsOffTheCurve_X509_SPKI) {
  const Bytes spki = fresh("P-256").spki();
  Bytes point(spki.end() - 65, spki.end());
  point.back() = static_cast<std::uint8_t>(point.back() ^ 1U);
  const char* p256 = "1.2.840.10045.3.1.7";
  EXPECT_EQ(read(ec_spki(p256, point)), kMalformed);
  EXPECT_EQ(read(ec_spki(p256, Bytes{0x00})), kMalformed);  // infinity
  EXPECT_EQ(read(ec_spki(p256, {})), kMalformed);
  Bytes zero(65);
  zero[0] = 0x04;
  EXPECT_EQ(read(ec_spki(p256, zero)), kMalformed);
  EXPECT_EQ(read(ec_spki(p256, Bytes(65, 0x04))), kMalformed);
  EXPECT_EQ(read(ec_spki("1.3.132.0.34", Bytes(spki.end() - 65, spki.end()))), kMalformed);
  EXPECT_EQ(read(ec_spki("1.2.3.4", Bytes(spki.end() - 65, spki.end()))), kMalformed);
}

TEST(PublicKey, RefusesOtherEncodingsOfAnRsaKey) {
  const Bytes spki = software_key("RSA-2048").public_key().spki();
  ByteView rest = spki;
  ByteView content = der::read(rest).value;
  static_cast<void>(der::read(content));
  const ByteView key = der::read(content).whole;
  const Bytes without_null =
      der::sequence({der::sequence({der::oid("1.2.840.113549.1.1.1")}), key});
  EXPECT_EQ(read(without_null), kMalformed);
}

TEST(PublicKey, RefusesEveryTruncationAndTrailingBytes) {
  for (const char* spec : {"P-256", "RSA-2048", "Ed25519"}) {
    const Bytes spki = software_key(spec).public_key().spki();
    for (std::size_t size = 0; size < spki.size(); ++size) {
      const std::string refused =
          read(Bytes(spki.begin(), spki.begin() + static_cast<std::ptrdiff_t>(size)));
      EXPECT_TRUE(refused == kMalformed || refused == "malformed der.malformed") << size << refused;
    }
    Bytes longer = spki;
    longer.push_back(0);
    EXPECT_EQ(read(longer), "malformed der.malformed");
  }
}

TEST(PublicKey, EveryFlippedByteIsRefusedOrAnotherKey) {
  for (const char* spec : {"P-256", "Ed25519"}) {
    const PublicKey original = fresh(spec);
    for (std::size_t i = 0; i < original.spki().size(); ++i) {
      Bytes changed = original.spki();
      changed[i] = static_cast<std::uint8_t>(changed[i] ^ 0x01U);
      const std::string refused =
          refusal([&] { EXPECT_FALSE(PublicKey::from_spki(changed) == original) << "byte " << i; });
      EXPECT_TRUE(refused == "none" || refused.starts_with("malformed ")) << refused;
    }
  }
}

// Found by a hostile client: anybody can sign for the identity point.
TEST(PublicKey, Ed25519PointsOfSmallOrderAreWeak) {
  const Bytes header = from_hex("302a300506032b6570032100");
  const auto strength = [&](std::string_view point) {
    Bytes spki = header;
    const Bytes key = from_hex(point);
    spki.insert(spki.end(), key.begin(), key.end());
    return refusal([&] { PublicKey::from_spki(spki).check_strength(); });
  };
  for (const char* point : {"0100000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000080",
                            "0000000000000000000000000000000000000000000000000000000000000000",
                            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    EXPECT_EQ(strength(point), "malformed key.weak") << point;
  }
  // The key of RFC 8032 7.1, test 1
  EXPECT_EQ(strength("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), "none");
}

TEST(PublicKey, TheKeyIdentifierIsTheOneOpensslWrites) {
  const test::ScratchDirectory scratch;
  const PrivateKey key = PrivateKey::generate_software(KeySpec::parse("P-384"));
  const auto file = scratch.path() / "key.pem";
  write_new_file(file, key.to_pem().text(), FileMode::secret);
  const auto certificate = openssl_command("req -x509 -subj /CN=x -key " + file.string() +
                                           " -addext subjectKeyIdentifier=hash -text -noout");
  ASSERT_EQ(certificate.status, 0) << certificate.output;
  std::string expected;
  for (const char c : to_hex(key.public_key().key_identifier())) {
    expected += static_cast<char>(::toupper(c));
  }
  std::string printed = certificate.output;
  std::erase(printed, ':');
  EXPECT_NE(printed.find(expected), std::string::npos) << certificate.output;
  EXPECT_EQ(key.public_key().key_identifier().size(), 20U);
}

TEST(PublicKey, OfAKeyPairHoldsNoPrivateHalf) {
  const PrivateKey pair = PrivateKey::generate_software(KeySpec::parse("P-256"));
  const PublicKey half = PublicKey::of(pair.evp());
  EXPECT_EQ(half, pair.public_key());
  EXPECT_NE(half.evp(), pair.evp());
  EXPECT_EQ(half.fingerprint().size(), 32U);
  EXPECT_NE(half.fingerprint(), fresh("P-256").fingerprint());
}

}  // namespace
}  // namespace estia::crypto
