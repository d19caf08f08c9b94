// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/crl.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "crypto/x509/chain_verifier.h"
#include "tests/support/crl_forge.h"
#include "tests/support/refusal.h"
#include "tests/unit/crypto_x509/certificate_forge.h"

namespace estia::crypto {
namespace {

using std::chrono::hours;
using test::CrlPlan;

std::string id_of(ByteView octets) {
  try {
    static_cast<void>(Crl::parse(octets));
  } catch (const Error& error) {
    return error.id();
  }
  return "accepted";
}

/// A root, a CA below it, a device below that, and CRLs of both CAs.
class CrlTest : public ::testing::Test {
 protected:
  static CrlPlan plan(const Issuer& issuer, std::vector<Bytes> revoked = {}) {
    return {.issuer = issuer.certificate.subject(),
            .revoked = std::move(revoked),
            .this_update = kNow - hours(1),
            .next_update = kNow + hours(1)};
  }
  static Crl crl(const Issuer& issuer, std::vector<Bytes> revoked = {}) {
    return Crl::parse(test::make_crl(issuer.key, plan(issuer, std::move(revoked))));
  }
  [[nodiscard]] ChainOutcome verify(const std::vector<Crl>& crls, bool required,
                                    Instant at = kNow) const {
    return verify_client_chain(leaf, {sub.certificate}, {root.certificate}, at,
                               CrlCheck{.crls = crls, .required = required});
  }
  [[nodiscard]] ChainOutcome::Failure failure(const std::vector<Crl>& crls, bool required) const {
    const ChainOutcome outcome = verify(crls, required);
    EXPECT_EQ(outcome.trusted, outcome.failure == ChainOutcome::Failure::none) << outcome.reason;
    EXPECT_EQ(outcome.trusted, !outcome.chain.empty());
    return outcome.failure;
  }

  const Issuer root = make_root();
  const Issuer sub = make_sub_ca(root, "Devices");
  const PrivateKey key = test::software_key("P-256");
  const Certificate leaf = signed_certificate(leaf_contents(sub, key.public_key()), sub.key);
  const Bytes serial = leaf.serial();
};

TEST_F(CrlTest, SaysWhoseItIsAndForHowLong) {
  const Crl parsed = crl(sub, {serial, {0x77}});
  EXPECT_EQ(parsed.issuer().text(), "CN=Devices");
  EXPECT_EQ(parsed.this_update(), kNow - hours(1));
  EXPECT_EQ(parsed.next_update(), kNow + hours(1));
  EXPECT_EQ(parsed.size(), 2U);
  EXPECT_TRUE(parsed.signed_by(sub.key.public_key()));
  EXPECT_FALSE(parsed.signed_by(root.key.public_key()));
}

TEST_F(CrlTest, IsReadFromDerAndPem) {
  const Bytes der = test::make_crl(sub.key, plan(sub, {serial}));
  const std::string pem =
      "\n-----BEGIN X509 CRL-----\n" + base64_encode(der, 64) + "-----END X509 CRL-----\n";
  EXPECT_EQ(Crl::parse(as_bytes(pem)).der(), der);
  EXPECT_EQ(id_of(as_bytes(pem + "x")), "crl.malformed");
  EXPECT_EQ(id_of(as_bytes(pem + pem)), "crl.malformed");
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_EQ(id_of(longer), "crl.malformed");
  EXPECT_EQ(id_of(ByteView(der).first(der.size() - 1)), "crl.malformed");
  EXPECT_EQ(id_of({}), "crl.malformed");
  EXPECT_EQ(id_of(leaf.der()), "crl.malformed");
}

/// A CRL that tells of some certificates only must not count as one that tells of all.
TEST_F(CrlTest, PartialOnesAreRefused) {
  for (const int nid : {NID_delta_crl, NID_issuing_distribution_point}) {
    CrlPlan partial = plan(sub);
    partial.extension = nid;
    EXPECT_EQ(id_of(test::make_crl(sub.key, partial)), "crl.not_full") << nid;
  }
  CrlPlan critical = plan(sub);
  critical.extension = NID_crl_number;
  EXPECT_EQ(id_of(test::make_crl(sub.key, critical)), "accepted");
  critical.critical = true;
  EXPECT_EQ(id_of(test::make_crl(sub.key, critical)), "crl.not_full");
}

TEST_F(CrlTest, ASha1SignatureIsNone) {
  CrlPlan weak = plan(sub);
  weak.digest = "SHA1";
  EXPECT_FALSE(Crl::parse(test::make_crl(sub.key, weak)).signed_by(sub.key.public_key()));
}

TEST_F(CrlTest, RequiredMeansOneOfEveryCaBelowTheAnchor) {
  using enum ChainOutcome::Failure;
  EXPECT_EQ(failure({crl(root), crl(sub)}, true), none);
  EXPECT_EQ(failure({crl(root)}, true), revocation_unknown);
  EXPECT_EQ(failure({crl(sub)}, true), revocation_unknown);
  EXPECT_EQ(failure({}, true), revocation_unknown);
  EXPECT_EQ(failure({crl(root), crl(sub, {serial})}, true), revoked);
  EXPECT_EQ(failure({crl(root, {sub.certificate.serial()}), crl(sub)}, true), revoked);
}

TEST_F(CrlTest, AnAnchorThatIsAnIntermediateNeedsNoneOfWhatIsAboveIt) {
  const std::vector<Crl> crls{crl(sub)};
  EXPECT_TRUE(verify_client_chain(leaf, {}, {sub.certificate}, kNow,
                                  CrlCheck{.crls = crls, .required = true})
                  .trusted);
  // A leaf that somebody lists is no anchor that nobody can ask about.
  EXPECT_EQ(
      verify_client_chain(leaf, {}, {leaf}, kNow, CrlCheck{.crls = {}, .required = true}).failure,
      ChainOutcome::Failure::revocation_unknown);
}

TEST_F(CrlTest, IfPresentTakesWhatThereIs) {
  using enum ChainOutcome::Failure;
  EXPECT_EQ(failure({}, false), none);
  EXPECT_EQ(failure({crl(sub, {{0x66}})}, false), none);
  EXPECT_EQ(failure({crl(sub, {serial})}, false), revoked);
  EXPECT_EQ(failure({crl(root, {sub.certificate.serial()})}, false), revoked);
}

TEST_F(CrlTest, ALateOneStillRevokesAndProvesNothing) {
  using enum ChainOutcome::Failure;
  CrlPlan late = plan(sub);
  late.next_update = kNow - std::chrono::minutes(1);
  EXPECT_EQ(failure({crl(root), Crl::parse(test::make_crl(sub.key, late))}, true),
            revocation_unknown);
  EXPECT_EQ(failure({Crl::parse(test::make_crl(sub.key, late))}, false), none);
  late.revoked = {serial};
  EXPECT_EQ(failure({Crl::parse(test::make_crl(sub.key, late))}, false), revoked);
}

TEST_F(CrlTest, AnotherKeysSignatureUnderTheSameNameIsNoCrl) {
  using enum ChainOutcome::Failure;
  const Issuer twin = make_sub_ca(root, "Devices");
  const Crl forged = Crl::parse(test::make_crl(twin.key, plan(sub)));
  EXPECT_EQ(failure({crl(root), forged}, true), revocation_unknown);
  EXPECT_EQ(failure({forged}, false), revocation_unknown) << "wrong is worse than absent";
}

TEST_F(CrlTest, AnIssuerOfCrlsLeadsToTheAnchorAndMaySignThem) {
  EXPECT_TRUE(verify_crl_issuer(sub.certificate, {}, root.certificate, kNow).trusted);
  EXPECT_TRUE(verify_crl_issuer(root.certificate, {}, root.certificate, kNow).trusted);
  EXPECT_FALSE(verify_crl_issuer(leaf, {sub.certificate}, root.certificate, kNow).trusted);
  EXPECT_FALSE(verify_crl_issuer(sub.certificate, {}, make_root().certificate, kNow).trusted);
}

}  // namespace
}  // namespace estia::crypto
