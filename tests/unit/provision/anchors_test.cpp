// SPDX-License-Identifier: Apache-2.0
// Foreign CAs in the configuration: what may be written, what is refused, and their CRLs.
#include "server/provision/anchors.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "server/provision/configuration_document.h"
#include "tests/support/certificates.h"
#include "tests/support/crl_forge.h"
#include "tests/unit/provision/good_document.h"

namespace estia::provision {
namespace {

using test::good_document;

const test::SoftwareCa& vendor() {
  static const test::SoftwareCa ca = test::make_software_ca("vendor");
  return ca;
}

std::string anchor_of(const test::SoftwareCa& ca, const std::string& name,
                      const std::string& lines = "revocation = \"none\"\n") {
  return "\n[[trust_anchor]]\nname = \"" + name + "\"\n" + lines + "certificate = '''\n" +
         ca.ca.certificate().to_pem() + "'''\n";
}

std::string anchor(const std::string& lines = "revocation = \"none\"\n") {
  return anchor_of(vendor(), "acme", lines);
}

std::string alias(const std::string& lines) {
  return "\n[[alias]]\nname = \"more\"\nca = \"issuing\"\n" + lines;
}

constexpr const char* kClient =
    "mode = \"client\"\nauthenticators = [\"vendor-certificate\", \"code\"]\n";
constexpr const char* kRa =
    "end_entity_profile = \"device\"\ncertificate_profile = \"device\"\nra_scope = \"any\"\n";

template <class Action>
std::string refusal(Action&& action) {
  try {
    static_cast<void>(action());
  } catch (const Error& error) {
    return error.id() + " " + error.what();
  }
  return "accepted";
}

std::string refusal_of(const std::string& more) {
  return refusal([&] { return parse(good_document() + more, "x.toml"); });
}

TEST(Anchors, PrintingAndParsingLosesNothing) {
  for (const std::string& lines :
       {std::string(kClient) + "vendor_anchors = [\"acme\"]\n",
        std::string(kRa) +
            "authenticators = [\"vendor-certificate\"]\nvendor_anchors = [\"acme\"]\n"
            "vendor_in_ra_mode = true\n",
        std::string(kRa) + "trust_anchors = [\"acme\"]\nra_certificates = [\"" +
            std::string(64, 'b') + "\", \"4f2a@CN=Plant\\\\, two,O=Acme\"]\n"}) {
    for (const std::string policy : {"none", "crl-if-present", "crl-required"}) {
      const ParsedConfiguration once = parse(
          good_document() + anchor("revocation = \"" + policy + "\"\n") + alias(lines), "x.toml");
      const std::string printed = print(once);
      EXPECT_EQ(print(parse(printed, "y.toml")), printed) << lines;
      EXPECT_NE(printed.find("revocation = \"" + policy + "\""), std::string::npos);
      EXPECT_NE(printed.find("_anchors = [\"acme\"]"), std::string::npos) << printed;
    }
  }
}

TEST(Anchors, ASerialNumberIsComparedAsANumberAndTheIssuerAsAName) {
  const auto listed = [](const std::string& text) {
    return parse(
               good_document() + alias(std::string(kRa) + "ra_certificates = [\"" + text + "\"]\n"),
               "x.toml")
        .contents.aliases.at("more")
        .ra_certificates.at(0);
  };
  const crypto::Certificate& certificate = vendor().ca.certificate();
  const std::string serial = to_hex(certificate.serial());
  const std::string issuer = certificate.issuer().text();
  EXPECT_TRUE(listed(serial + "@" + issuer).is(certificate));
  EXPECT_TRUE(listed("00:00" + serial + "@" + issuer).is(certificate));
  EXPECT_TRUE(listed(to_hex(certificate.fingerprint_sha256())).is(certificate));
  EXPECT_FALSE(listed(serial + "00@" + issuer).is(certificate));
  EXPECT_FALSE(listed(serial + "@CN=other").is(certificate));
}

TEST(Anchors, WhatCannotBeIsRefused) {
  const struct {
    std::string lines;
    std::string expected;
  } cases[] = {
      {anchor(""), "trust_anchor[acme].revocation: is needed"},
      {anchor("revocation = \"ocsp\"\n"), "must be one of none, crl-if-present, crl-required"},
      {anchor() + anchor(), "config.duplicate"},
      {"\n[[trust_anchor]]\nname = \"x\"\nrevocation = \"none\"\ncertificate = \"no\"\n",
       "trust_anchor[x].certificate"},
      {"\n[[trust_anchor]]\nname = \"x\"\nrevocation = \"none\"\ncertificate = '''\n" +
           vendor().ca.certificate().to_pem() + vendor().ca.certificate().to_pem() + "'''\n",
       "must be one certificate"},
      {"\n[[trust_anchor]]\nname = \"x\"\nrevocation = \"none\"\ncertificate = '''\n" +
           test::root_pem() + "'''\n",
       "config.anchor_is_ours"},
      {alias(std::string(kClient) + "vendor_anchors = [\"nobody\"]\n"), "config.reference"},
      {anchor() + alias("mode = \"client\"\nvendor_anchors = [\"acme\"]\n"),
       "needs \"vendor-certificate\""},
      {alias(std::string(kRa) + "authenticators = [\"vendor-certificate\"]\n"),
       "vendor_in_ra_mode = true"},
      {alias(std::string(kRa) + "vendor_in_ra_mode = true\n"), "needs \"vendor-certificate\""},
      {alias(std::string(kRa) + "vendor_in_ra_mode = true\nname_scheme = \"random\"\n"
                                "authenticators = [\"vendor-certificate\"]\n"),
       "cannot work with random usernames"},
      {alias("end_entity_profile = \"device\"\ncertificate_profile = \"device\"\n"
             "vendor_in_ra_mode = true\nauthenticators = [\"vendor-certificate\"]\n"),
       "config.scope_missing"},
      {anchor() + alias("mode = \"client\"\ntrust_anchors = [\"acme\"]\n"),
       "trust_anchors: is for mode = \"ra\" only"},
      {alias(std::string(kRa) + "ra_certificates = [\"@CN=a\"]\n"), "ra_certificates"},
      {alias(std::string(kRa) + "ra_certificates = [\"00@CN=a\"]\n"), "above 0"},
      {alias(std::string(kRa) + "ra_certificates = [\"4f@nothing\"]\n"), "ra_certificates"},
  };
  for (const auto& each : cases) {
    const std::string told = refusal_of(each.lines);
    EXPECT_NE(told.find(each.expected), std::string::npos) << each.lines << "\n" << told;
  }
}

TEST(Anchors, WhatIsHardlyMeantWarns) {
  const auto warnings = [](const std::string& more) {
    std::string text;
    for (const std::string& warning : parse(good_document() + more, "x.toml").warnings) {
      text += warning + "\n";
    }
    return text;
  };
  EXPECT_NE(warnings(alias(kClient)).find("lists no vendor_anchors"), std::string::npos);
  EXPECT_NE(warnings(anchor() + alias(std::string(kRa) + "trust_anchors = [\"acme\"]\n"))
                .find("without ra_certificates"),
            std::string::npos);
  EXPECT_NE(warnings(anchor() + alias(std::string(kRa) +
                                      "authenticators = [\"vendor-certificate\"]\n"
                                      "vendor_in_ra_mode = true\nvendor_anchors = [\"acme\"]\n"))
                .find("that nobody registered"),
            std::string::npos);
  const std::string two = alias(std::string(kClient) + "vendor_anchors = [\"acme\", \"second\"]\n");
  const auto strangers = [&](const test::SoftwareCa& second) {
    return warnings(anchor() + anchor_of(second, "second") + two).find("of several vendors") !=
           std::string::npos;
  };
  EXPECT_TRUE(strangers(test::make_software_ca("another vendor")));
  EXPECT_FALSE(strangers(test::make_software_ca_below(vendor(), "acme devices")));
  const std::string listed = std::string(kRa) + "trust_anchors = [\"acme\", \"second\"]\n";
  const auto lists = [&](const std::string& certificate) {
    return warnings(anchor() + anchor_of(test::make_software_ca("another"), "second") +
                    alias(listed + "ra_certificates = [\"" + certificate + "\"]\n"))
               .find("by SERIAL@ISSUER") != std::string::npos;
  };
  EXPECT_TRUE(lists("4f@CN=Plant CA"));
  EXPECT_FALSE(lists(std::string(64, 'a')));
  EXPECT_NE(warnings(alias(std::string(kRa) + "allow_change_subject_name_at_renewal = true\n"))
                .find("any name inside ra_scope"),
            std::string::npos);
  const auto mixes = [&](const std::string& policy) {
    return warnings(anchor() +
                    anchor_of(test::make_software_ca("another"), "second",
                              "revocation = \"" + policy + "\"\n") +
                    two)
               .find("revocation = \"none\"") != std::string::npos;
  };
  EXPECT_TRUE(mixes("crl-required"));
  EXPECT_FALSE(mixes("none"));
  const auto shares = [&](const std::string& scheme, const std::string& active) {
    const std::string profile =
        "[[certificate_profile]]\nname = \"one\"\nvalidity = \"10d\"\nkey_types = [\"P-256\"]\n"
        "key_usage = [\"digitalSignature\"]\nextended_key_usage = [\"clientAuth\"]\n"
        "single_active = " +
        active + "\n";
    return warnings("\n" + profile +
                    alias("end_entity_profile = \"device\"\ncertificate_profile = \"one\"\n"
                          "ra_scope = \"any\"\n" +
                          scheme))
               .find("whoever's it is") != std::string::npos;
  };
  const std::string fixed = "name_scheme = \"fixed\"\nname_parameters = [\"line\"]\n";
  EXPECT_TRUE(shares(fixed, "true"));
  EXPECT_FALSE(shares(fixed, "false"));
  EXPECT_FALSE(shares("", "true"));
  EXPECT_FALSE(shares(fixed + "name_postfix = \"${RANDOM}\"\n", "true"));
  const std::string changes = "allow_change_subject_name = true\n";
  EXPECT_NE(warnings(anchor() + alias(std::string(kRa) + changes +
                                      "authenticators = [\"vendor-certificate\"]\n"
                                      "vendor_in_ra_mode = true\nvendor_anchors = [\"acme\"]\n"))
                .find("take any name inside ra_scope"),
            std::string::npos);
  EXPECT_NE(warnings(alias(std::string(kClient) + changes +
                           "end_entity_profile = \"device\"\ncertificate_profile = \"device\"\n"))
                .find("changes nothing"),
            std::string::npos);
}

TEST(Anchors, AreAddedAndRemovedEverywhere) {
  const AnchorPlan plan{.name = "acme",
                        .certificate = vendor().ca.certificate().to_pem(),
                        .revocation = "none",
                        .vendor_of = {"more"},
                        .explicit_of = {"est"}};
  const std::string before = print(parse(good_document() + alias(kClient), "x.toml"));
  const std::string with = with_anchor(before, plan);
  const ca::Snapshot contents = parse(with, "x.toml").contents;
  EXPECT_EQ(contents.trust_anchor("acme").certificate, vendor().ca.certificate());
  EXPECT_EQ(contents.aliases.at("more").vendor_anchors, std::vector<std::string>{"acme"});
  EXPECT_EQ(contents.aliases.at("est").trust_anchors, std::vector<std::string>{"acme"});
  EXPECT_EQ(without_anchor(with, "acme"), before);

  EXPECT_TRUE(refusal([&] { return with_anchor(with, plan); }).starts_with("anchor.exists"));
  EXPECT_TRUE(
      refusal([&] { return without_anchor(before, "acme"); }).starts_with("anchor.unknown"));
  AnchorPlan lost = plan;
  lost.vendor_of = {"nobody"};
  EXPECT_TRUE(refusal([&] { return with_anchor(before, lost); }).starts_with("config.reference"));
}

/// A document may name anchors; their CRLs come from the store, and only those of the very
/// certificate they were verified against.
TEST(Anchors, CrlsBelongToTheCertificateNotToTheName) {
  const Instant now = from_unix_seconds(1'790'000'000);
  const Bytes crl = test::make_crl(vendor().key, {.issuer = vendor().ca.certificate().subject(),
                                                  .this_update = now,
                                                  .next_update = now + std::chrono::hours(1)});
  ca::StoredConfiguration stored{
      .version = 1,
      .document = print(parse(test::mutated("[[account]]\nalias = \"est\"\nuser = \"ra\"\n"
                                            "password_file = \"ra.password\"\n",
                                            "") +
                                  anchor(),
                              "x.toml")),
      .crls = {{.anchor = vendor().ca.certificate().fingerprint_sha256(),
                .issuer = vendor().ca.certificate().subject().canonical(),
                .der = crl}}};
  EXPECT_EQ(build_snapshot(stored)->trust_anchor("acme").crls.size(), 1U);
  stored.crls.front().anchor = Bytes(32, 7);
  EXPECT_TRUE(build_snapshot(stored)->trust_anchor("acme").crls.empty());
}

class AnchorCrl : public testing::Test {
 protected:
  [[nodiscard]] std::string take(const test::CrlPlan& plan, const std::string& issuers = "") {
    const Bytes der = test::make_crl(vendor().key, plan);
    return refusal([&] {
      stored = verified_crl(known, der, issuers, now);
      known.crls = {crypto::Crl::parse(stored.der)};
      return 0;
    });
  }
  [[nodiscard]] test::CrlPlan plan(std::chrono::minutes age = std::chrono::minutes(0)) const {
    return {.issuer = vendor().ca.certificate().subject(),
            .this_update = now - age,
            .next_update = now + std::chrono::hours(1)};
  }

  const Instant now = vendor().ca.certificate().not_before() + std::chrono::hours(2);
  ca::TrustAnchor known{.name = "acme", .certificate = vendor().ca.certificate()};
  ca::StoredCrl stored;
};

TEST_F(AnchorCrl, IsTakenFromTheAnchor) {
  EXPECT_EQ(take(plan()), "accepted");
  EXPECT_EQ(stored.anchor, vendor().ca.certificate().fingerprint_sha256());
  EXPECT_EQ(stored.issuer, vendor().ca.certificate().subject().canonical());
  EXPECT_EQ(take(plan(), vendor().ca.certificate().to_pem()), "accepted");
}

TEST_F(AnchorCrl, WhatIsNotTheAnchorsIsRefused) {
  test::CrlPlan other = plan();
  other.issuer = crypto::Name::from_text("CN=somebody");
  EXPECT_TRUE(take(other).starts_with("crl.issuer"));
  EXPECT_TRUE(take(plan(), test::make_software_ca("vendor").ca.certificate().to_pem())
                  .starts_with("crl.issuer"));
  test::CrlPlan weak = plan();
  weak.digest = "SHA1";
  EXPECT_TRUE(take(weak).starts_with("crl.issuer"));
}

TEST_F(AnchorCrl, WhatIsNotOfNowIsRefused) {
  EXPECT_TRUE(take(plan(-std::chrono::minutes(5))).starts_with("crl.not_current"));
  test::CrlPlan late = plan(std::chrono::minutes(60));
  late.next_update = now;
  EXPECT_TRUE(take(late).starts_with("crl.not_current"));
  EXPECT_EQ(take(plan()), "accepted");
  EXPECT_TRUE(take(plan(std::chrono::minutes(1))).starts_with("crl.older"));
  EXPECT_EQ(take(plan()), "accepted") << "the same again";
}

}  // namespace
}  // namespace estia::provision
