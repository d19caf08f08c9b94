// SPDX-License-Identifier: Apache-2.0
// Certificates of CAs that are not ours: which alias they mean something to, and what their
// anchors' revocation policies say.
#include "tests/support/crl_forge.h"
#include "tests/unit/auth/authentication_fixture.h"

namespace estia::auth {
namespace {

class ForeignCertificate : public AuthenticationTest {
 protected:
  ForeignCertificate() {
    trust("acme", acme, ca::RevocationPolicy::none);
    trust("other", other, ca::RevocationPolicy::none);
    alias.vendor_anchors = {"acme"};
    alias.authenticators = {Authenticator::vendor_certificate};
  }
  void trust(const std::string& name, const test::SoftwareCa& ca, ca::RevocationPolicy policy) {
    snapshot.trust_anchors.insert_or_assign(
        name,
        ca::TrustAnchor{.name = name, .certificate = ca.ca.certificate(), .revocation = policy});
  }
  [[nodiscard]] crypto::Crl crl_of(const test::SoftwareCa& ca, std::vector<Bytes> revoked) const {
    return crypto::Crl::parse(test::make_crl(ca.key, {.issuer = ca.ca.certificate().subject(),
                                                      .revoked = std::move(revoked),
                                                      .this_update = clock.at - hours(1),
                                                      .next_update = clock.at + hours(1)}));
  }
  void give_crl(const std::string& name, const test::SoftwareCa& ca, std::vector<Bytes> revoked) {
    snapshot.trust_anchors.at(name).crls = {crl_of(ca, std::move(revoked))};
  }
  std::string vendor_outcome(const Certificate& leaf) { return outcome({leaf}, std::nullopt); }

  const test::SoftwareCa acme = test::make_software_ca("acme");
  const test::SoftwareCa other = test::make_software_ca("other");
};

constexpr const char* kUntrusted = "forbidden auth.certificate_untrusted";

TEST_F(ForeignCertificate, OfAVendorOfThisAliasIsAVendors) {
  EXPECT_EQ(vendor_outcome(issue(acme, {})), "vendor");
  EXPECT_EQ(vendor_outcome(issue(acme, {.usages = {}})), "vendor") << "IDevIDs have no purposes";
  EXPECT_EQ(vendor_outcome(issue(acme, {.usages = {"1.3.6.1.5.5.7.3.1"}})), kUntrusted);
  EXPECT_EQ(vendor_outcome(issue(acme, {.age = hours(-2)})), kUntrusted);
  EXPECT_EQ(vendor_outcome(issue(acme, {.age = hours(48)})), kUntrusted);
}

TEST_F(ForeignCertificate, OfAnotherAliasesVendorIsNobodys) {
  EXPECT_EQ(vendor_outcome(issue(other, {})), kUntrusted);
  alias.vendor_anchors = {"other"};
  EXPECT_EQ(vendor_outcome(issue(other, {})), "vendor");
  EXPECT_EQ(vendor_outcome(issue(acme, {})), kUntrusted);
}

/// Explicit and vendor anchors are two lists with two meanings.
TEST_F(ForeignCertificate, AnExplicitAnchorMakesNoVendor) {
  alias.vendor_anchors.clear();
  alias.trust_anchors = {"acme"};
  EXPECT_EQ(vendor_outcome(issue(acme, {})), kUntrusted);
  alias.authenticators = {Authenticator::client_certificate};
  EXPECT_EQ(vendor_outcome(issue(acme, {})), kUntrusted);
  const Certificate listed = issue(acme, {});
  alias.ra_certificates = {{.sha256 = listed.fingerprint_sha256()}};
  EXPECT_EQ(vendor_outcome(listed), "ra certificate");
  EXPECT_EQ(vendor_outcome(issue(acme, {.usages = {std::string(crypto::oid::kClientAuth),
                                                   std::string(crypto::oid::kCmcRa)}})),
            kUntrusted)
      << "cmcRA of a foreign CA";
  alias.trust_anchors.clear();
  EXPECT_EQ(vendor_outcome(listed), kUntrusted) << "listed, and nobody trusts its CA";
  alias.vendor_anchors = {"acme"};
  EXPECT_EQ(vendor_outcome(listed), kUntrusted) << "a vendor's certificate names nobody";
}

/// Found by a hostile client: whoever is trusted for listed certificates may not make one that
/// bears the name of our CA and the serial number that is listed for it.
TEST_F(ForeignCertificate, AListedOneOfOursIsNoForeignersWithTheSameName) {
  alias.trust_anchors = {"acme"};
  alias.authenticators = {Authenticator::client_certificate};
  const Certificate listed = known();
  alias.ra_certificates = {{.issuer = listed.issuer(), .serial = listed.serial()}};
  EXPECT_EQ(vendor_outcome(listed), "ra certificate");
  const test::SoftwareCa namesake = test::make_software_ca_below(acme, "issuing");
  ASSERT_EQ(namesake.ca.certificate().subject(), authority.ca.certificate().subject());
  const Certificate forged = issue(namesake, {.serial = listed.serial()});
  EXPECT_EQ(outcome({forged, namesake.ca.certificate()}, std::nullopt), kUntrusted);
  alias.ra_certificates = {{.sha256 = forged.fingerprint_sha256()}};
  EXPECT_EQ(outcome({forged, namesake.ca.certificate()}, std::nullopt), "ra certificate")
      << "by its hash it is meant";
}

TEST_F(ForeignCertificate, AListedOneNeedsClientAuth) {
  alias.trust_anchors = {"acme"};
  alias.authenticators = {Authenticator::client_certificate};
  const Certificate listed = issue(acme, {.usages = {}});
  alias.ra_certificates = {{.issuer = listed.issuer(), .serial = listed.serial()}};
  EXPECT_EQ(vendor_outcome(listed), "forbidden auth.no_client_auth");
}

TEST_F(ForeignCertificate, OursIsNoVendorsWhateverTheOrder) {
  alias.authenticators = {Authenticator::vendor_certificate, Authenticator::client_certificate};
  EXPECT_EQ(vendor_outcome(known()), "self device-1");
  EXPECT_EQ(vendor_outcome(issue(acme, {})), "vendor");
  alias.authenticators = {Authenticator::client_certificate, Authenticator::vendor_certificate};
  EXPECT_EQ(vendor_outcome(known()), "self device-1");
  EXPECT_EQ(vendor_outcome(issue(acme, {})), "vendor");
  EXPECT_EQ(vendor_outcome(issue(other, {})), kUntrusted);
  EXPECT_EQ(outcome({}, std::nullopt), "forbidden auth.required");
  // Even if a vendor certified our CA, or an operator got it into the list.
  trust("acme", authority, ca::RevocationPolicy::none);
  const Certificate revoked = known();
  record(revoked).revocation = ca::Revocation{.at = clock.at};
  EXPECT_EQ(vendor_outcome(revoked), kUntrusted);
}

TEST_F(ForeignCertificate, IsAbsentWhereACodeMayFollow) {
  alias.mode = ca::AliasMode::client;
  alias.authenticators = {Authenticator::vendor_certificate, Authenticator::code};
  EXPECT_EQ(vendor_outcome(issue(acme, {})), "vendor");
  EXPECT_EQ(vendor_outcome(issue(other, {})), "not yet");
}

TEST_F(ForeignCertificate, RenewsNothing) {
  EXPECT_EQ(outcome({issue(acme, {})}, std::nullopt, Operation::simplereenroll), kUntrusted);
}

TEST_F(ForeignCertificate, IsJudgedByTheRevocationPolicyOfItsAnchor) {
  using enum ca::RevocationPolicy;
  const Certificate good = issue(acme, {});
  const Certificate bad = issue(acme, {});
  trust("acme", acme, crl_required);
  EXPECT_EQ(vendor_outcome(good), "forbidden auth.revocation_unknown");
  give_crl("acme", acme, {bad.serial()});
  EXPECT_EQ(vendor_outcome(good), "vendor");
  EXPECT_EQ(vendor_outcome(bad), "forbidden auth.certificate_revoked");
  clock.at += hours(2);
  EXPECT_EQ(vendor_outcome(good), "forbidden auth.revocation_unknown") << "the CRL is late";
  snapshot.trust_anchors.at("acme").revocation = crl_if_present;
  EXPECT_EQ(vendor_outcome(good), "vendor");
  EXPECT_EQ(vendor_outcome(bad), "forbidden auth.certificate_revoked");
  snapshot.trust_anchors.at("acme").revocation = none;
  EXPECT_EQ(vendor_outcome(bad), "vendor");
}

/// One CA under two names: a policy that asks nobody is no way around one that knows.
TEST_F(ForeignCertificate, IsRevokedIfAnyOfTheAliasesAnchorsSaysSo) {
  const Certificate bad = issue(acme, {});
  trust("careless", acme, ca::RevocationPolicy::none);
  trust("acme", acme, ca::RevocationPolicy::crl_required);
  give_crl("acme", acme, {bad.serial()});
  for (const auto& anchors : {std::vector<std::string>{"careless", "acme"},
                              std::vector<std::string>{"acme", "careless"}}) {
    alias.vendor_anchors = anchors;
    EXPECT_EQ(vendor_outcome(bad), "forbidden auth.certificate_revoked");
    EXPECT_EQ(vendor_outcome(issue(acme, {})), "vendor");
    const std::vector<crypto::Crl> kept = snapshot.trust_anchors.at("acme").crls;
    snapshot.trust_anchors.at("acme").crls.clear();
    EXPECT_EQ(vendor_outcome(issue(acme, {})), "forbidden auth.revocation_unknown");
    snapshot.trust_anchors.at("acme").crls = kept;
  }
}

/// A root that asks for CRLs and its intermediate that does not, both listed: whatever the client
/// sends along, what the root knows counts (a hole of before: the chain was made of that alone).
TEST_F(ForeignCertificate, LeavingOutTheIntermediateHidesNoRevocation) {
  const test::SoftwareCa devices = test::make_software_ca_below(acme, "acme devices");
  const Certificate& intermediate = devices.ca.certificate();
  const Certificate good = issue(devices, {});
  const Certificate bad = issue(devices, {});
  trust("devices", devices, ca::RevocationPolicy::none);
  trust("acme", acme, ca::RevocationPolicy::crl_required);
  alias.vendor_anchors = {"devices", "acme"};
  const std::vector<std::vector<Certificate>> good_chains{{good}, {good, intermediate}};
  const std::vector<std::vector<Certificate>> bad_chains{{bad}, {bad, intermediate}};
  for (const auto& chain : good_chains) {
    EXPECT_EQ(outcome(chain, std::nullopt), "forbidden auth.revocation_unknown") << chain.size();
  }
  snapshot.trust_anchors.at("acme").crls = {crl_of(acme, {}), crl_of(devices, {bad.serial()})};
  for (const auto& chain : bad_chains) {
    EXPECT_EQ(outcome(chain, std::nullopt), "forbidden auth.certificate_revoked") << chain.size();
  }
  for (const auto& chain : good_chains) {
    EXPECT_EQ(outcome(chain, std::nullopt), "vendor") << chain.size();
  }
  snapshot.trust_anchors.at("acme").crls = {crl_of(acme, {intermediate.serial()}),
                                            crl_of(devices, {})};
  for (const auto& chain : good_chains) {
    EXPECT_EQ(outcome(chain, std::nullopt), "forbidden auth.certificate_revoked") << chain.size();
  }
}

/// With a CA between the two that nobody listed and the client keeps back, only the lower anchor
/// leads anywhere: the upper one's CRLs of the lower one's certificates count all the same.
TEST_F(ForeignCertificate, AnAnchorKnowsTheCrlsThatAnotherOneHasOfItsCas) {
  const test::SoftwareCa between = test::make_software_ca_below(acme, "acme between");
  const test::SoftwareCa devices = test::make_software_ca_below(between, "acme devices");
  const test::SoftwareCa namesake = test::make_software_ca_below(acme, "acme devices");
  const Certificate bad = issue(devices, {});
  trust("devices", devices, ca::RevocationPolicy::none);
  trust("acme", acme, ca::RevocationPolicy::crl_if_present);
  alias.vendor_anchors = {"devices", "acme"};
  EXPECT_EQ(vendor_outcome(bad), "vendor");
  snapshot.trust_anchors.at("acme").crls = {crl_of(namesake, {bad.serial()})};
  EXPECT_EQ(vendor_outcome(bad), "vendor") << "a CA of the same name with another key";
  snapshot.trust_anchors.at("acme").crls = {crl_of(devices, {bad.serial()})};
  EXPECT_EQ(vendor_outcome(bad), "forbidden auth.certificate_revoked");
  EXPECT_EQ(vendor_outcome(issue(devices, {})), "vendor");
}

}  // namespace
}  // namespace estia::auth
