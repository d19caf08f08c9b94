// SPDX-License-Identifier: Apache-2.0
#include "server/ca/contents.h"

#include <gtest/gtest.h>

#include <set>

#include "crypto/base/error.h"
#include "tests/support/certificates.h"

namespace estia::ca {
namespace {

struct Case {
  test::SoftwareCa authority = test::make_software_ca();
  CertificateProfile profile = test::device_profile();
  crypto::PublicKey key =
      crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256")).public_key();
  Instant now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());

  crypto::CertificateContents contents() const {
    const auto& ca = authority.ca.certificate();
    return contents_for({.ca = "issuing",
                         .issuer = ca.subject(),
                         .issuer_key_identifier = ca.subject_key_identifier(),
                         .issuer_not_before = ca.not_before(),
                         .issuer_not_after = ca.not_after(),
                         .issuer_key = ca.public_key(),
                         .profile = &profile,
                         .subject = crypto::Name::from_text("CN=a"),
                         .san = {},
                         .subject_key = key},
                        random_serial(), now);
  }
  std::string refusal() const {
    try {
      static_cast<void>(contents());
    } catch (const Error& error) {
      return error.id();
    }
    return "accepted";
  }
};

const crypto::Extension* find(const crypto::CertificateContents& contents, std::string_view oid) {
  for (const auto& extension : contents.extensions) {
    if (extension.oid == oid) {
      return &extension;
    }
  }
  return nullptr;
}

TEST(Contents, ValidityIsTheProfilesAndNeverPastTheCas) {
  Case c;
  EXPECT_EQ(c.contents().not_after, c.now + c.profile.validity);
  EXPECT_EQ(c.contents().not_before, c.now - c.profile.backdate);
  c.profile.validity = std::chrono::hours(24 * 36500);
  EXPECT_EQ(c.contents().not_after, c.authority.ca.certificate().not_after());
  c.profile.backdate = std::chrono::hours(24 * 365);
  EXPECT_EQ(c.contents().not_before, c.authority.ca.certificate().not_before());
}

TEST(Contents, AnExpiredCaIssuesNothing) {
  Case c;
  c.now = c.authority.ca.certificate().not_after();
  EXPECT_EQ(c.refusal(), "issuer.ca_expired");
}

TEST(Contents, KeyEnciphermentIsNotPromisedForEcKeys) {  // X509-4.2.1.3-a
  Case c;
  EXPECT_EQ(find(c.contents(), crypto::oid::kKeyUsage)->value,
            crypto::key_usage({"digitalSignature"}).value);
  c.key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("RSA-2048")).public_key();
  EXPECT_EQ(find(c.contents(), crypto::oid::kKeyUsage)->value,
            crypto::key_usage({"digitalSignature", "keyEncipherment"}).value);
}

TEST(Contents, KeysOutsideTheProfileAndTheCasOwnKeyAreRefused) {
  Case c;
  c.profile.key_types = {"RSA-2048"};
  EXPECT_EQ(c.refusal(), "key.not_in_profile");
  c.profile.key_types = {"P-256"};
  c.key = c.authority.key.public_key();
  EXPECT_EQ(c.refusal(), "key.is_ca_key");
}

TEST(Contents, EndEntitiesGetIdentifiersAndNoBasicConstraints) {
  Case c;
  const auto contents = c.contents();
  EXPECT_EQ(find(contents, crypto::oid::kBasicConstraints), nullptr);
  EXPECT_NE(find(contents, crypto::oid::kAuthorityKeyIdentifier), nullptr);
  EXPECT_NE(find(contents, crypto::oid::kSubjectKeyIdentifier), nullptr);
}

TEST(Serial, IsTwentyPositiveOctetsAndNeverRepeats) {  // X509-4.1.2.2-a, -b
  std::set<Bytes> seen;
  for (int i = 0; i < 20000; ++i) {
    const Bytes serial = random_serial();
    ASSERT_EQ(serial.size(), 20U);
    ASSERT_NE(serial[0], 0);
    ASSERT_EQ(serial[0] & 0x80, 0);
    ASSERT_TRUE(seen.insert(serial).second);
  }
}

}  // namespace
}  // namespace estia::ca
