// SPDX-License-Identifier: Apache-2.0
// What a request may decide by itself: each override switch on and off.
#include "server/ca/wishes.h"

#include <gtest/gtest.h>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "server/ca/contents.h"
#include "tests/support/certificates.h"

namespace estia::ca {
namespace {

using crypto::Extension;

constexpr const char* kPolicies = "2.5.29.32";
constexpr const char* kUsagePeriod = "2.5.29.16";

Extension policies() {
  return {kPolicies, false, der::sequence({der::sequence({der::oid("1.3.6.1.4.1.99999.7")})})};
}

std::string generalized(Instant at) {
  const std::time_t seconds = unix_seconds(at);
  std::tm time{};
  ::gmtime_r(&seconds, &time);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%Y%m%d%H%M%SZ", &time);
  return text.data();
}

Extension usage_period(std::optional<Instant> from, std::optional<Instant> to) {
  Bytes content;
  const auto add = [&](std::uint8_t tag, Instant at) {
    const Bytes element = der::tlv(tag, as_bytes(generalized(at)));
    content.insert(content.end(), element.begin(), element.end());
  };
  if (from) {
    add(0x80, *from);
  }
  if (to) {
    add(0x81, *to);
  }
  return {kUsagePeriod, false, der::tlv(0x30, content)};
}

struct Case {
  test::SoftwareCa authority = test::make_software_ca();
  CertificateProfile profile = test::device_profile();
  std::vector<Extension> wishes{};
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
                         .subject_key = key,
                         .wishes = wishes},
                        random_serial(), now);
  }
  std::string refusal() const {
    try {
      static_cast<void>(contents());
    } catch (const Error& error) {
      return std::string(to_string(error.code())) + " " + error.id();
    }
    return "accepted";
  }
  Bytes value(std::string_view oid) const {
    for (const Extension& extension : contents().extensions) {
      if (extension.oid == oid) {
        return extension.value;
      }
    }
    return {};
  }
};

TEST(Wishes, KeyUsageIsTheProfilesUnlessTheRequestMayDecide) {
  Case c;
  c.wishes = {crypto::key_usage({"keyAgreement"})};
  EXPECT_EQ(c.value(crypto::oid::kKeyUsage), crypto::key_usage({"digitalSignature"}).value);
  c.profile.override_key_usage = true;
  EXPECT_EQ(c.value(crypto::oid::kKeyUsage), crypto::key_usage({"keyAgreement"}).value);
  // X509-4.2.1.3-a: also of a wish, only what the key can do.
  c.wishes = {crypto::key_usage({"digitalSignature", "keyEncipherment"})};
  EXPECT_EQ(c.value(crypto::oid::kKeyUsage), crypto::key_usage({"digitalSignature"}).value);
}

// Found by a hostile client: nothing usable was left, the extension was left out, and a certificate
// without it is good for everything.
TEST(Wishes, AKeyThatCanDoNothingOfWhatIsAskedIsRefused) {
  Case c;
  c.profile.override_key_usage = true;
  c.wishes = {crypto::key_usage({"keyEncipherment"})};
  EXPECT_EQ(c.refusal(), "malformed key.no_usage_left");
  c.wishes.clear();
  c.profile.key_usage = {"dataEncipherment"};
  EXPECT_EQ(c.refusal(), "malformed key.no_usage_left");
}

TEST(Wishes, NoRequestBecomesACaOrARegistrationAuthority_EST_3_7_e) {
  Case c;
  c.profile.override_key_usage = true;
  c.profile.override_extensions = {std::string(crypto::oid::kExtendedKeyUsage)};
  for (const char* bit : {"keyCertSign", "cRLSign"}) {
    c.wishes = {crypto::key_usage({"digitalSignature", bit})};
    EXPECT_EQ(c.refusal(), "forbidden override.power") << bit;
  }
  for (const std::string_view purpose :
       {crypto::oid::kCmcRa, crypto::oid::kCmcCa, crypto::oid::kOcspSigning,
        std::string_view("2.5.29.37.0")}) {
    c.wishes = {crypto::extended_key_usage({std::string(purpose)})};
    EXPECT_EQ(c.refusal(), "forbidden override.power") << purpose;
  }
  c.wishes = {crypto::basic_constraints_ca(-1)};
  EXPECT_EQ(c.value(crypto::oid::kBasicConstraints), Bytes());
}

TEST(Wishes, OnlyListedExtensionsAreTakenOver) {
  Case c;
  c.wishes = {policies()};
  EXPECT_EQ(c.value(kPolicies), Bytes());
  c.profile.override_extensions = {kPolicies};
  EXPECT_EQ(c.value(kPolicies), policies().value);
}

TEST(Wishes, AListedPurposeReplacesTheProfiles) {
  Case c;
  c.wishes = {crypto::extended_key_usage({std::string(crypto::oid::kServerAuth)})};
  EXPECT_EQ(c.value(crypto::oid::kExtendedKeyUsage),
            crypto::extended_key_usage({std::string(crypto::oid::kClientAuth)}).value);
  c.profile.override_extensions = {std::string(crypto::oid::kExtendedKeyUsage)};
  EXPECT_EQ(c.value(crypto::oid::kExtendedKeyUsage), c.wishes.front().value);
}

TEST(Wishes, ValidityIsOnlyEverShortened) {
  using std::chrono::hours;
  Case c;
  c.wishes = {usage_period(c.now + hours(1), c.now + hours(48))};
  EXPECT_EQ(c.contents().not_after, c.now + c.profile.validity);
  c.profile.override_validity = true;
  EXPECT_EQ(c.contents().not_before, c.now + hours(1));
  EXPECT_EQ(c.contents().not_after, c.now + hours(48));
  c.wishes = {usage_period(c.now - hours(1000), c.now + hours(24 * 4000))};
  EXPECT_EQ(c.contents().not_before, c.now - c.profile.backdate);
  EXPECT_EQ(c.contents().not_after, c.now + c.profile.validity);
  c.wishes = {usage_period(std::nullopt, c.now + hours(2))};
  EXPECT_EQ(c.contents().not_after, c.now + hours(2));
  c.wishes = {usage_period(std::nullopt, c.now - hours(2))};
  EXPECT_EQ(c.refusal(), "malformed override.validity");
  c.wishes = {usage_period(c.now + hours(24 * 4000), std::nullopt)};
  EXPECT_EQ(c.refusal(), "malformed override.validity");
}

TEST(Wishes, AGrantedWishThatDoesNotParseIsTheClientsMistake) {
  Case c;
  c.profile.override_key_usage = true;
  c.profile.override_validity = true;
  c.profile.override_extensions = {kPolicies, std::string(crypto::oid::kExtendedKeyUsage)};
  const auto garbage = [&](std::string_view oid, const Bytes& value) {
    c.wishes = {{std::string(oid), false, value}};
    return c.refusal();
  };
  EXPECT_EQ(garbage(crypto::oid::kKeyUsage, {0x03, 0x01, 0x00}), "malformed override.malformed");
  EXPECT_EQ(garbage(crypto::oid::kKeyUsage, {0x03, 0x02, 0x08, 0x80}),
            "malformed override.malformed");
  EXPECT_EQ(garbage(crypto::oid::kKeyUsage, {0x03, 0x03, 0x00, 0x80, 0x01}),
            "malformed override.malformed");
  EXPECT_EQ(garbage(crypto::oid::kExtendedKeyUsage, {0x30, 0x00}), "malformed override.malformed");
  EXPECT_EQ(garbage(kUsagePeriod, {0x30, 0x00}), "malformed override.malformed");
  EXPECT_EQ(garbage(kUsagePeriod, der::tlv(0x30, der::tlv(0x80, as_bytes("20260231000000Z")))),
            "malformed override.malformed");
  EXPECT_EQ(garbage(kPolicies, {0x30, 0x05, 0x00}), "malformed override.malformed");
}

TEST(Wishes, StrictRefusesWhatWouldSilentlyBeIgnored) {
  Case c;
  c.profile.strict_override = true;
  c.wishes = {policies()};
  EXPECT_EQ(c.refusal(), "forbidden override.refused");
  c.wishes = {crypto::key_usage({"keyAgreement"})};
  EXPECT_EQ(c.refusal(), "forbidden override.refused");
  c.wishes = {usage_period(std::nullopt, c.now + std::chrono::hours(2))};
  EXPECT_EQ(c.refusal(), "forbidden override.refused");
  // Asking for what is given anyway is no wish of its own; clients repeat their old certificate.
  c.wishes = {crypto::key_usage({"digitalSignature"}),
              crypto::extended_key_usage({std::string(crypto::oid::kClientAuth)})};
  EXPECT_EQ(c.refusal(), "accepted");
  c.profile.override_validity = true;
  c.wishes = {usage_period(std::nullopt, c.now + std::chrono::hours(2))};
  EXPECT_EQ(c.refusal(), "accepted");
}

}  // namespace
}  // namespace estia::ca
