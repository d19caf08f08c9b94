// SPDX-License-Identifier: Apache-2.0
// What CRLs of manufacturers decide: whose certificates are refused, whose CRLs are taken.
#include "tests/e2e/support/vendor_site.h"

namespace estia::e2e {
namespace {

using VendorCrl = VendorSite;

TEST_F(VendorCrl, ACrlThatIsRequiredDecides) {
  trust(acme->intermediate(), "acme", "crl-required");
  const Device device = known_device("S7");
  const Device bad = known_device("S8");
  EXPECT_EQ(enroll(device).status, 403) << "no CRL yet";
  EXPECT_TRUE(logged("auth.revocation_unknown"));
  acme->revoke(acme->intermediate(), bad.certificate);
  estia_ok({"anchor", "crl", "acme", acme->make_crl(acme->intermediate()).string()});
  EXPECT_EQ(enroll(bad).status, 403);
  EXPECT_TRUE(logged("auth.certificate_revoked"));
  EXPECT_EQ(enroll(device).status, 200) << server->err();
  // The CRL is still there after a crash.
  const Device next = known_device("S9");
  kill_and_start();
  EXPECT_EQ(enroll(bad).status, 403);
  EXPECT_EQ(enroll(next).status, 200) << server->err();
  EXPECT_NE(estia_ok({"anchor", "list"}).find("Acme Devices"), std::string::npos);
}

/// A root that knows of revocations beside its intermediate that asks for none: a client that keeps
/// the intermediate back must not be judged by the latter alone.
TEST_F(VendorCrl, LeavingOutTheIntermediateHidesNoRevocation) {
  trust(acme->root(), "acme", "crl-required");
  trust(acme->intermediate(), "acme-devices", "none");
  const Device device = known_device("S15");
  const Device bad = known_device("S16");
  acme->revoke(acme->intermediate(), bad.certificate);
  estia_ok({"anchor", "crl", "acme", acme->make_crl(acme->root()).string()});
  estia_ok({"anchor", "crl", "acme", acme->make_crl(acme->intermediate()).string(), "--issuers",
            acme->intermediate().certificate.string()});
  EXPECT_EQ(enroll(bad).status, 403);
  EXPECT_EQ(enroll(acme->without_chain(bad)).status, 403);
  EXPECT_TRUE(logged("auth.certificate_revoked"));
  EXPECT_EQ(enroll(acme->without_chain(device)).status, 200) << server->err();
}

/// The CRLs are not in the document, and what is not in it must not get lost by changing it.
TEST_F(VendorCrl, ACrlOutlivesAChangeOfTheConfiguration) {
  trust(acme->intermediate(), "acme", "crl-if-present");
  const Device bad = known_device("S14");
  acme->revoke(acme->intermediate(), bad.certificate);
  estia_ok({"anchor", "crl", "acme", acme->make_crl(acme->intermediate()).string()});
  EXPECT_EQ(enroll(bad).status, 403);
  ASSERT_TRUE(change_configuration("name = \"factory\"\n",
                                   "name = \"factory\"\nrenewal_window = \"30d\"\n"));
  EXPECT_EQ(enroll(bad).status, 403);
  const VendorPki other(*client, "Other");
  trust(other.root(), "other");
  EXPECT_EQ(enroll(bad).status, 403);
  estia_ok({"anchor", "remove", "other", "--yes"});
  EXPECT_EQ(enroll(bad).status, 403);
}

TEST_F(VendorCrl, ACrlIsTakenFromItsIssuerOnly) {
  trust(acme->root(), "acme", "crl-if-present");
  const Device device = known_device("S10");
  const VendorPki other(*client, "Acme");
  const auto hand_in = [&](const std::filesystem::path& crl, const std::filesystem::path& issuers) {
    std::vector<std::string> arguments{"anchor", "crl", "acme", crl.string()};
    if (!issuers.empty()) {
      arguments.insert(arguments.end(), {"--issuers", issuers.string()});
    }
    return estia(arguments);
  };
  EXPECT_NE(hand_in(other.make_crl(other.root()), {}).code, 0) << "the name, not the key";
  acme->revoke(acme->intermediate(), device.certificate);
  const auto crl = acme->make_crl(acme->intermediate());
  EXPECT_NE(hand_in(crl, {}).code, 0) << "not of the anchor itself";
  EXPECT_NE(hand_in(crl, other.intermediate().certificate).code, 0);
  EXPECT_NE(hand_in(device.certificate, {}).code, 0) << "no CRL";
  EXPECT_EQ(hand_in(crl, acme->intermediate().certificate).code, 0);
  EXPECT_EQ(enroll(device).status, 403);
  EXPECT_EQ(enroll(known_device("S11")).status, 200)
      << "the root's own CRL is not there, which this policy allows" << server->err();
}

}  // namespace
}  // namespace estia::e2e
