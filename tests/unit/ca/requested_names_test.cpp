// SPDX-License-Identifier: Apache-2.0
#include "server/ca/requested_names.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "tests/support/certificates.h"

namespace estia::ca {
namespace {

struct Asked {
  crypto::Name subject;
  crypto::GeneralNames san;
};

Asked csr(const std::string& subject, const std::vector<std::string>& sans = {}) {
  return {crypto::Name::from_text(subject),
          sans.empty() ? crypto::GeneralNames() : crypto::GeneralNames::from_texts(sans)};
}

RequestedNames requested_names(const EndEntityProfile& profile, const Asked& asked) {
  return requested_names(profile, asked.subject, asked.san);
}

std::string refusal(const EndEntityProfile& profile, const Asked& request) {
  try {
    static_cast<void>(requested_names(profile, request));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::malformed);
    return error.id();
  }
  return "accepted";
}

TEST(RequestedNames, GivesWhatTheProfileLists) {
  const auto names = requested_names(test::device_names(),
                                     csr("CN=device-7,O=Acme", {"dns:a.example", "ip:10.0.0.1"}));
  EXPECT_EQ(names.subject.text(), "CN=device-7,O=Acme");
  EXPECT_EQ(names.san.names().size(), 2U);
}

TEST(RequestedNames, RefusesAttributesWithoutARule) {
  EXPECT_EQ(refusal(test::device_names(), csr("CN=a,C=DE")), "enroll.subject_attribute");
  EXPECT_EQ(refusal(test::device_names(), csr("CN=a,emailAddress=a@b.example")),
            "enroll.subject_attribute");
}

TEST(RequestedNames, RefusesTwoCommonNamesButNotTwoUnits) {
  EXPECT_EQ(refusal(test::device_names(), csr("CN=a,CN=b")), "enroll.subject_attribute");
  EXPECT_EQ(refusal(test::device_names(), csr("CN=a,OU=b,OU=c")), "accepted");
}

TEST(RequestedNames, RefusesAMissingRequiredAttribute) {
  EXPECT_EQ(refusal(test::device_names(), csr("O=Acme")), "enroll.subject_missing");
}

TEST(RequestedNames, FixedValuesWinWhateverTheRequestSays) {
  auto profile = test::device_names();
  profile.subject[1].fixed = "Acme";
  EXPECT_EQ(requested_names(profile, csr("CN=a,O=Evil")).subject.text(), "CN=a,O=Acme");
  EXPECT_EQ(requested_names(profile, csr("CN=a")).subject.text(), "CN=a,O=Acme");
}

TEST(RequestedNames, RefusesSanKindsWildcardsAndTooMany) {
  EXPECT_EQ(refusal(test::device_names(), csr("CN=a", {"uri:urn:a:b"})), "enroll.san_kind");
  EXPECT_EQ(refusal(test::device_names(), csr("CN=a", {"dns:*.example.com"})),
            "enroll.san_wildcard");
  auto profile = test::device_names();
  profile.max_san = 1;
  EXPECT_EQ(refusal(profile, csr("CN=a", {"dns:a.example", "dns:b.example"})), "enroll.san_count");
}

TEST(RequestedNames, RefusesCharactersThatNobodySees_T8) {
  EXPECT_EQ(refusal(test::device_names(), csr("CN=device\u200B-1")), "enroll.name_character");
  EXPECT_EQ(refusal(test::device_names(), csr("CN=a,O=\u202Eemca\u202C")), "enroll.name_character");
  EXPECT_EQ(refusal(test::device_names(), csr("CN=a,OU=\uE000")), "enroll.name_character");
  EXPECT_EQ(refusal(test::device_names(), csr("CN=Gerät-7,O=株式会社")), "accepted");
  auto profile = test::device_names();
  profile.subject[1].fixed = "Acme";  // the operator's value stands in the certificate, not theirs
  EXPECT_EQ(requested_names(profile, csr("CN=a,O=\u202Eemca")).subject.text(), "CN=a,O=Acme");
}

}  // namespace
}  // namespace estia::ca
