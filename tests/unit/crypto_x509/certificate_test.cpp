// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/certificate.h"

#include <gtest/gtest.h>

#include <thread>

#include "crypto/base/der.h"
#include "tests/support/refusal.h"
#include "tests/unit/crypto_x509/certificate_forge.h"

namespace estia::crypto {
namespace {

using test::refusal;

constexpr const char* kMalformed = "malformed certificate.malformed";

const Issuer& issuer() {
  static const Issuer made = make_root();
  return made;
}

CertificateContents contents() {
  return leaf_contents(issuer(), test::software_key("P-256").public_key());
}

Certificate leaf(const std::vector<Extension>& more = {}) {
  CertificateContents with = contents();
  with.extensions.insert(with.extensions.end(), more.begin(), more.end());
  return signed_certificate(with, issuer().key);
}

std::string read(const Bytes& der) {
  return refusal([&] { static_cast<void>(Certificate::parse(der)); });
}

std::string read_pem(const std::string& pem) {
  return refusal([&] { static_cast<void>(Certificate::parse_pem(pem)); });
}

/// A certificate whose Validity is written by hand.
Bytes with_times(const Bytes& not_before, const Bytes& not_after) {
  const SignatureAlgorithm& algorithm = SignatureAlgorithm::for_key(issuer().key.public_key());
  const Bytes tbs = der::sequence(
      {der::tlv(0xA0, der::small_integer(2)), der::small_integer(7), algorithm.algorithm_identifier,
       Name::from_text("CN=x").der(), der::sequence({not_before, not_after}),
       Name::from_text("CN=y").der(), issuer().key.public_key().spki()});
  return der::sequence(
      {tbs, algorithm.algorithm_identifier, der::bit_string(issuer().key.sign(tbs, algorithm))});
}

Bytes time(std::uint8_t tag, std::string_view value) {
  return der::tlv(tag, as_bytes(value));
}

TEST(Certificate, RefusesEveryTruncationAndTrailingBytes) {
  const Bytes der = leaf().der();
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_EQ(read(Bytes(der.begin(), der.begin() + static_cast<std::ptrdiff_t>(size))),
              kMalformed);
  }
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_EQ(read(longer), kMalformed);
}

TEST(Certificate, EveryChangedByteIsRefusedOrNotSigned) {
  const Certificate certificate = leaf();
  for (std::size_t i = 0; i < certificate.der().size(); ++i) {
    Bytes changed = certificate.der();
    changed[i] = static_cast<std::uint8_t>(changed[i] ^ 0x01U);
    const std::string refused = refusal([&] {
      const Certificate other = Certificate::parse(changed);
      const bool only_the_outer_algorithm =
          other.tbs() == certificate.tbs() && other.signature() == certificate.signature();
      EXPECT_TRUE(only_the_outer_algorithm || !other.signed_by(issuer().key.public_key())) << i;
    });
    EXPECT_TRUE(refused == "none" || refused == kMalformed) << i << ": " << refused;
  }
}

TEST(Certificate, NoWellDefinedEndIsTheLastInstant_X509_4_1_2_5_b) {
  const Certificate certificate =
      Certificate::parse(with_times(time(0x17, "260101000000Z"), time(0x18, "99991231235959Z")));
  EXPECT_EQ(certificate.not_after(), from_unix_seconds(253402300799));
  EXPECT_GT(certificate.not_after(), kNow);
}

TEST(Certificate, RefusesTimesThatAreNone) {
  const Bytes good = time(0x17, "260101000000Z");
  for (const Bytes& bad : {time(0x17, ""), time(0x17, "261301000000Z"), time(0x17, "2601010000"),
                           time(0x17, "26010100000!Z"), time(0x18, "2026"), der::null(),
                           time(0x17, std::string(100, '9')), time(0x18, "20260101000000")}) {
    EXPECT_EQ(read(with_times(good, bad)), kMalformed) << to_hex(bad);
    EXPECT_EQ(read(with_times(bad, good)), kMalformed) << to_hex(bad);
  }
}

TEST(Certificate, AnswersForItsExtensions) {
  const Certificate certificate =
      leaf({subject_alt_name(GeneralNames::from_texts({"dns:a.example"}), false)});
  EXPECT_TRUE(certificate.has_extended_key_usage(oid::kClientAuth));
  EXPECT_FALSE(certificate.has_extended_key_usage(oid::kServerAuth));
  EXPECT_EQ(certificate.subject_alt_names().names().size(), 1U);
  EXPECT_EQ(certificate.subject_key_identifier(),
            test::software_key("P-256").public_key().key_identifier());
  EXPECT_NE(certificate.find_extension(oid::kKeyUsage), nullptr);
  EXPECT_EQ(certificate.find_extension(oid::kBasicConstraints), nullptr);
  EXPECT_FALSE(certificate.is_ca());
  EXPECT_FALSE(certificate.self_issued());
  EXPECT_EQ(certificate.fingerprint_sha256().size(), 32U);
  EXPECT_TRUE(issuer().certificate.is_ca());
  EXPECT_TRUE(issuer().certificate.self_issued());
  EXPECT_TRUE(issuer().certificate.extended_key_usage().empty());
  EXPECT_TRUE(issuer().certificate.subject_alt_names().empty());
}

TEST(Certificate, AnyPurposeDoesNotStandForAListedOne) {
  CertificateContents any = contents();
  any.extensions.back() = extended_key_usage({"2.5.29.37.0"});
  EXPECT_FALSE(signed_certificate(any, issuer().key).has_extended_key_usage(oid::kClientAuth));
}

TEST(Certificate, BrokenPurposesAreRefusedAndNeverCounted) {
  const Bytes client = der::oid(oid::kClientAuth);
  Bytes disguised = client;
  disguised[0] = 0x04;
  Bytes trailing = der::sequence({client});
  trailing.push_back(0x00);
  for (const Bytes& value : {Bytes{}, Bytes{0x30}, client, der::sequence({disguised}),
                             der::tlv(0x31, client), trailing}) {
    CertificateContents broken = contents();
    broken.extensions.back() = {std::string(oid::kExtendedKeyUsage), false, value};
    const Certificate certificate = signed_certificate(broken, issuer().key);
    const std::string refused =
        refusal([&] { static_cast<void>(certificate.has_extended_key_usage(oid::kClientAuth)); });
    EXPECT_TRUE(refused.starts_with("malformed ")) << to_hex(value) << ": " << refused;
  }
}

TEST(Certificate, AnEmptyPurposeListIsEmptyAndDoesNotCrash_CVE_2026_40097) {
  CertificateContents empty = contents();
  empty.extensions.back() = {std::string(oid::kExtendedKeyUsage), false, {0x30, 0x00}};
  EXPECT_TRUE(signed_certificate(empty, issuer().key).extended_key_usage().empty());
}

TEST(Certificate, SignedByAnswersOnlyForThatKey) {
  EXPECT_TRUE(leaf().signed_by(issuer().key.public_key()));
  EXPECT_FALSE(leaf().signed_by(leaf().public_key()));
  EXPECT_FALSE(leaf().signed_by(test::software_key("RSA-2048").public_key()));
  EXPECT_FALSE(leaf().signed_by(test::software_key("Ed25519").public_key()));
}

TEST(CertificatePem, ComesBackOneOrMany) {
  const Certificate first = leaf();
  const std::string pem = first.to_pem();
  EXPECT_EQ(Certificate::parse_pem(pem), std::vector{first});
  const auto two =
      Certificate::parse_pem("\n" + pem + "\n\n" + issuer().certificate.to_pem() + " ");
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0], first);
  EXPECT_EQ(two[1], issuer().certificate);
}

TEST(CertificatePem, RefusesTextOutsideTheArmour) {
  const std::string pem = leaf().to_pem();
  EXPECT_EQ(read_pem("junk\n" + pem), "config certificate.pem");
  EXPECT_EQ(read_pem(pem + "junk"), "config certificate.pem");
  EXPECT_EQ(read_pem(pem + "junk\n" + pem), "config certificate.pem");
  EXPECT_EQ(read_pem("subject=CN = x\n" + pem), "config certificate.pem");
}

TEST(CertificatePem, RefusesWhatIsNoCertificate) {
  const std::string pem = leaf().to_pem();
  for (const std::string& text :
       {std::string(), std::string("\n \n"), pem.substr(0, pem.size() - 10), pem.substr(1),
        std::string("-----BEGIN CERTIFICATE-----"),
        std::string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"),
        "-----BEGIN CERTIFICATE-----\n" + pem,
        std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")}) {
    EXPECT_EQ(read_pem(text), "config certificate.pem") << text;
  }
}

TEST(Certificate, ManyThreadsShareOne) {
  const Certificate certificate = leaf();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([copy = certificate] {
      for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(copy.is_ca());
        EXPECT_TRUE(copy.has_extended_key_usage(oid::kClientAuth));
        EXPECT_EQ(Certificate::from_openssl(copy.openssl()), copy);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace
}  // namespace estia::crypto
