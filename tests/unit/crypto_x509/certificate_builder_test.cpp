// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/certificate_builder.h"

#include <gtest/gtest.h>

#include <utility>

#include "crypto/base/der.h"
#include "crypto/base/file.h"
#include "tests/support/openssl_command.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_directory.h"
#include "tests/unit/crypto_x509/certificate_forge.h"

namespace estia::crypto {
namespace {

using test::refusal;

constexpr const char* kContents = "internal certificate.contents";

const Issuer& issuer() {
  static const Issuer made = make_root();
  return made;
}

CertificateContents good() {
  return leaf_contents(issuer(), test::software_key("P-256").public_key());
}

std::string build(const CertificateContents& contents) {
  return refusal([&] {
    static_cast<void>(build_tbs(contents, SignatureAlgorithm::for_key(issuer().key.public_key())));
  });
}

/// The Validity of a certificate with these bounds, as two TLVs in hexadecimal.
std::string validity(std::int64_t not_before, std::int64_t not_after) {
  CertificateContents contents = good();
  contents.not_before = from_unix_seconds(not_before);
  contents.not_after = from_unix_seconds(not_after);
  const Bytes tbs = build_tbs(contents, SignatureAlgorithm::for_key(issuer().key.public_key()));
  ByteView rest = tbs;
  ByteView content = der::read(rest).value;
  for (int i = 0; i < 4; ++i) {
    static_cast<void>(der::read(content));
  }
  return to_hex(der::read(content).value);
}

std::string utc(std::string_view text) {
  return to_hex(der::tlv(0x17, as_bytes(text)));
}
std::string generalized(std::string_view text) {
  return to_hex(der::tlv(0x18, as_bytes(text)));
}

TEST(CertificateBuilder, WhatGoesInComesOut) {
  const CertificateContents contents = good();
  const Certificate certificate = signed_certificate(contents, issuer().key);
  EXPECT_EQ(certificate.serial(), contents.serial);
  EXPECT_EQ(certificate.issuer(), issuer().certificate.subject());
  EXPECT_EQ(certificate.subject(), contents.subject);
  EXPECT_EQ(certificate.not_before(), contents.not_before);
  EXPECT_EQ(certificate.not_after(), contents.not_after);
  EXPECT_EQ(certificate.public_key(), contents.public_key);
  EXPECT_EQ(certificate.extensions(), contents.extensions);
  EXPECT_EQ(certificate.tbs(),
            build_tbs(contents, SignatureAlgorithm::for_key(issuer().key.public_key())));
  EXPECT_TRUE(certificate.signed_by(issuer().key.public_key()));
}

TEST(CertificateBuilder, OpensslVerifiesTheResultOfEveryKindOfKey) {
  for (const KeySpec& spec : KeySpec::known()) {
    const test::ScratchDirectory scratch;
    const PrivateKey key = test::software_key(spec.name);
    const Certificate root = signed_certificate(ca_contents("Root", key.public_key(), -1), key);
    const Certificate leaf =
        signed_certificate(leaf_contents({key, root}, issuer().key.public_key()), key);
    write_new_file(scratch.path() / "root", root.to_pem(), FileMode::readable);
    write_new_file(scratch.path() / "leaf", leaf.to_pem(), FileMode::readable);
    const auto result = test::openssl_command(
        "verify -x509_strict -check_ss_sig -purpose sslclient -attime " +
        std::to_string(unix_seconds(kNow)) + " -CAfile " + (scratch.path() / "root").string() +
        " " + (scratch.path() / "leaf").string());
    EXPECT_EQ(result.status, 0) << spec.name << ": " << result.output;
  }
}

TEST(CertificateBuilder, TheYear2049IsUtcTimeAnd2050IsGeneralizedTime_X509_4_1_2_5_a) {
  EXPECT_EQ(validity(2524607999 - 1, 2524607999), utc("491231235958Z") + utc("491231235959Z"));
  EXPECT_EQ(validity(2524607999, 2524608000),
            utc("491231235959Z") + generalized("20500101000000Z"));
  EXPECT_EQ(validity(0, 946684800), utc("700101000000Z") + utc("000101000000Z"));
}

TEST(CertificateBuilder, BoundariesComeBackFromTheCertificate_X509_4_1_2_5_a) {
  for (const std::int64_t end : {2524607999, 2524608000}) {
    CertificateContents contents = good();
    contents.not_after = from_unix_seconds(end);
    EXPECT_EQ(unix_seconds(signed_certificate(contents, issuer().key).not_after()), end);
  }
}

TEST(CertificateBuilder, FractionsOfASecondAreNotWritten) {
  CertificateContents contents = good();
  contents.not_after += std::chrono::milliseconds(999);
  EXPECT_EQ(signed_certificate(contents, issuer().key).not_after(), good().not_after);
}

TEST(CertificateBuilder, SerialsAreOneTo20OctetsAndPositive_X509_4_1_2_2_a) {
  const auto serial = [](Bytes value) {
    CertificateContents contents = good();
    contents.serial = std::move(value);
    return build(contents);
  };
  Bytes longest(20, 0xFF);
  longest[0] = 0x7F;
  EXPECT_EQ(serial({1}), "none");
  EXPECT_EQ(serial(longest), "none");
  EXPECT_EQ(serial({}), kContents);
  EXPECT_EQ(serial({0}), kContents);
  EXPECT_EQ(serial(Bytes(20, 0)), kContents);
  EXPECT_EQ(serial({0x80}), kContents);
  EXPECT_EQ(serial(Bytes(20, 0xFF)), kContents);
  EXPECT_EQ(serial(Bytes(21, 0x01)), kContents);
  Bytes padded(21, 0x01);
  padded[0] = 0;
  EXPECT_EQ(serial(padded), kContents);
}

TEST(CertificateBuilder, RefusesContentsNoCertificateMayHave) {
  CertificateContents no_issuer = good();
  no_issuer.issuer = Name();
  EXPECT_EQ(build(no_issuer), kContents);
  CertificateContents reversed = good();
  std::swap(reversed.not_before, reversed.not_after);
  EXPECT_EQ(build(reversed), kContents);
  CertificateContents twice = good();
  twice.extensions.push_back(twice.extensions.front());
  EXPECT_EQ(build(twice), kContents);
  CertificateContents ancient = good();
  ancient.not_before = from_unix_seconds(-700000000);  // 1947
  EXPECT_EQ(build(ancient), kContents);
}

TEST(CertificateBuilder, AssemblesExactlyTheRecordedBytes_X509_4_1_1_2) {
  const SignatureAlgorithm& algorithm = SignatureAlgorithm::for_key(issuer().key.public_key());
  const Bytes tbs = build_tbs(good(), algorithm);
  Bytes signature(70, 0xAB);
  signature.back() = 0x00;  // trailing zero bits stay
  const IssuedCertificate issued = assemble_certificate(tbs, algorithm, signature);
  const Certificate certificate = issued.parsed();
  EXPECT_EQ(certificate.der(), issued.der());
  EXPECT_EQ(certificate.serial(), issued.serial());
  EXPECT_EQ(certificate.tbs(), tbs);
  EXPECT_EQ(certificate.signature(), signature);
  EXPECT_FALSE(certificate.signed_by(issuer().key.public_key()));
}

TEST(CertificateBuilder, RefusesToAssembleWhatIsNoTbs) {
  const SignatureAlgorithm& algorithm = SignatureAlgorithm::for_key(issuer().key.public_key());
  for (const Bytes& tbs :
       {Bytes{}, Bytes{0x30, 0x00}, Bytes{0x05, 0x00}, from_hex("3006a00302010230"),
        from_hex("3008a003020102040101"), from_hex("3008a0030201020201010500")}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(assemble_certificate(tbs, algorithm, Bytes(64))); }),
              "malformed certificate.malformed");
  }
}

}  // namespace
}  // namespace estia::crypto
