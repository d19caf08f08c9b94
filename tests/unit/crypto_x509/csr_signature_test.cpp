// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/base/file.h"
#include "tests/support/openssl_command.h"
#include "tests/support/paths.h"
#include "tests/support/scratch_directory.h"
#include "tests/unit/crypto_x509/csr_forge.h"

namespace estia::crypto {
namespace {

constexpr const char* kInvalid = "malformed csr.signature_invalid";
constexpr const char* kAlgorithm = "malformed csr.signature_algorithm";

std::string verified(const Bytes& der) {
  const Csr csr = Csr::parse(der);
  return test::refusal([&] { csr.verify_signature(); });
}

std::string signed_with(const std::string& spec, const char* oid, const char* digest,
                        bool null_parameters) {
  ForgedCsr forged;
  forged.key = test::software_key(spec);
  forged.spki = forged.key.public_key().spki();
  forged.algorithm = {"", oid, digest,
                      null_parameters ? der::sequence({der::oid(oid), der::null()})
                                      : der::sequence({der::oid(oid)})};
  return verified(forged.der());
}

/// A request made by the openssl command with these options.
Bytes by_openssl(const std::string& options) {
  const test::ScratchDirectory scratch;
  const std::string out = (scratch.path() / "csr").string();
  const auto made = test::openssl_command(
      "req -new -nodes -keyout /dev/null -subj /CN=x -outform DER -out " + out + " " + options);
  EXPECT_EQ(made.status, 0) << made.output;
  const std::string der = read_file(out);
  return Bytes(der.begin(), der.end());
}

TEST(CsrSignature, EveryKnownKindOfKeyProvesItsPossession_EST_4_2_1_b) {
  for (const KeySpec& spec : KeySpec::known()) {
    ForgedCsr forged;
    forged.key = test::software_key(spec.name);
    forged.spki = forged.key.public_key().spki();
    forged.algorithm = SignatureAlgorithm::for_key(forged.key.public_key());
    EXPECT_EQ(verified(forged.der()), "none") << spec.name;
  }
}

TEST(CsrSignature, AnyOfTheAllowedDigestsGoesWithAnyCurveOrModulus) {
  EXPECT_EQ(signed_with("P-256", "1.2.840.10045.4.3.4", "SHA2-512", false), "none");
  EXPECT_EQ(signed_with("P-384", "1.2.840.10045.4.3.2", "SHA2-256", false), "none");
  EXPECT_EQ(signed_with("RSA-2048", "1.2.840.113549.1.1.12", "SHA2-384", true), "none");
  EXPECT_EQ(signed_with("RSA-2048", "1.2.840.113549.1.1.13", "SHA2-512", true), "none");
}

TEST(CsrSignature, RefusesTheSha1OfRfc7030AppendixA3_EST_6_h) {
  EXPECT_EQ(verified(base64_decode(
                read_file(test::data_directory() / "est/rfc7030-a3-csr.b64"))),
            kAlgorithm);
}

TEST(CsrSignature, RefusesOldAndUnlistedAlgorithms_EST_6_h) {
  EXPECT_EQ(signed_with("RSA-2048", "1.2.840.113549.1.1.4", "MD5", true), kAlgorithm);
  EXPECT_EQ(signed_with("RSA-2048", "1.2.840.113549.1.1.5", "SHA1", true), kAlgorithm);
  EXPECT_EQ(signed_with("RSA-2048", "1.2.840.113549.1.1.14", "SHA2-224", true), kAlgorithm);
  EXPECT_EQ(signed_with("P-256", "1.2.840.10045.4.1", "SHA1", false), kAlgorithm);
  EXPECT_EQ(signed_with("P-256", "1.2.840.10045.4.3.1", "SHA2-224", false), kAlgorithm);
  EXPECT_EQ(signed_with("P-256", "2.16.840.1.101.3.4.3.10", "SHA3-256", false), kAlgorithm);
  EXPECT_EQ(signed_with("P-256", "1.2.3.4", "SHA2-256", false), kAlgorithm);
  EXPECT_EQ(signed_with("P-256", "1.3.6.1.5.5.7.6.2", "SHA2-256", false), kAlgorithm);
}

TEST(CsrSignature, RefusesAnAlgorithmOfAnotherKindOfKey) {
  EXPECT_EQ(signed_with("P-256", "1.2.840.113549.1.1.11", "SHA2-256", true), kInvalid);
  EXPECT_EQ(signed_with("RSA-2048", "1.2.840.10045.4.3.2", "SHA2-256", false), kInvalid);
  EXPECT_EQ(signed_with("P-256", "1.3.101.112", "SHA2-256", false), kInvalid);
  EXPECT_EQ(signed_with("P-256", "1.2.840.10045.4.3.3", "SHA2-256", false), kInvalid);
}

TEST(CsrSignature, PssNeedsSha2InBothPlaces_EST_6_h) {
  const std::string pss = "-newkey rsa:2048 -sigopt rsa_padding_mode:pss ";
  EXPECT_EQ(verified(by_openssl(pss + "-sha256")), "none");
  EXPECT_EQ(verified(by_openssl(pss + "-sha384 -sigopt rsa_pss_saltlen:48")), "none");
  EXPECT_EQ(verified(by_openssl(pss + "-sha512")), "none");
  EXPECT_EQ(verified(by_openssl(pss + "-sha1")), kAlgorithm);
  EXPECT_EQ(verified(by_openssl(pss + "-sha224")), kAlgorithm);
  EXPECT_EQ(verified(by_openssl(pss + "-sha256 -sigopt rsa_mgf1_md:sha1")), kAlgorithm);
}

TEST(CsrSignature, PssWithoutParametersIsSha1AndRefused) {
  EXPECT_EQ(signed_with("RSA-2048", "1.2.840.113549.1.1.10", "SHA2-256", false), kAlgorithm);
  EXPECT_EQ(signed_with("RSA-2048", "1.2.840.113549.1.1.10", "SHA2-256", true), kAlgorithm);
  ForgedCsr forged;
  forged.key = test::software_key("RSA-2048");
  forged.spki = forged.key.public_key().spki();
  forged.algorithm = {"", "", "SHA2-256",
                      der::sequence({der::oid("1.2.840.113549.1.1.10"), der::sequence({})})};
  EXPECT_EQ(verified(forged.der()), kAlgorithm);
}

TEST(CsrSignature, AnotherKeyHasNotSignedIt_EST_4_2_1_b) {
  ForgedCsr forged;
  forged.spki = PrivateKey::generate_software(KeySpec::parse("P-256")).public_key().spki();
  EXPECT_EQ(verified(forged.der()), kInvalid);
}

TEST(CsrSignature, WhatIsSignedCannotBeExchanged) {
  const ForgedCsr first;
  ForgedCsr second;
  second.subject = Name::from_text("CN=victim").der();
  const Bytes good = first.der();
  ByteView rest = good;
  ByteView content = der::read(rest).value;
  static_cast<void>(der::read(content));
  const Bytes info =
      der::sequence({second.version, second.subject, second.spki, second.attributes});
  EXPECT_EQ(verified(der::sequence({info, content})), kInvalid);
}

TEST(CsrSignature, RefusesSignaturesThatAreNone) {
  const ForgedCsr forged;
  const Bytes info =
      der::sequence({forged.version, forged.subject, forged.spki, forged.attributes});
  for (const Bytes& signature :
       {Bytes{}, Bytes{0x00}, Bytes(64), from_hex("3006020100020100"), from_hex("3006020101020101"),
        from_hex("3000"), Bytes(5000, 0xFF)}) {
    EXPECT_EQ(verified(der::sequence(
                  {info, forged.algorithm.algorithm_identifier, der::bit_string(signature)})),
              kInvalid)
        << to_hex(ByteView(signature).first(std::min<std::size_t>(8, signature.size())));
  }
}

TEST(CsrSignature, AKeyThatCannotSignIsRefusedAndDoesNotCrash_EST_4_2_1_b) {
  ForgedCsr forged;
  forged.spki = der::sequence(
      {der::sequence({der::oid("1.3.101.110")}), der::bit_string(Bytes(32, 0x09))});  // X25519
  EXPECT_EQ(verified(forged.der()), kInvalid);
}

}  // namespace
}  // namespace estia::crypto
