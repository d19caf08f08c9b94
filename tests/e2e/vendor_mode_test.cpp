// SPDX-License-Identifier: Apache-2.0
// Manufacturers' certificates (IDevID) as credentials of the first enrolment, and the trust anchors
// they need, added and removed by the operator while clients are connected.
#include <algorithm>

#include "crypto/base/file.h"
#include "tests/e2e/support/open_connection.h"
#include "tests/e2e/support/vendor_site.h"
#include "tests/support/new_names_request.h"

namespace estia::e2e {
namespace {

using VendorMode = VendorSite;

/// EJBCA's walk-through, flow 3: vendor CAs imported, the entity registered, enrolment with the
/// vendor's certificate, re-enrolment with the one it got and a new key.
TEST_F(VendorMode, EnrolsWithTheVendorsCertificateAndRenewsWithItsOwn) {
  trust(acme->root(), "acme-root");
  trust(acme->intermediate(), "acme-devices");
  const Device device = known_device("S1");
  const Answer enrolled = enroll(device);
  ASSERT_EQ(enrolled.status, 200) << enrolled.body << server->err();
  Device own = client->make_device("/O=Acme/CN=S1");  // a new key
  const auto certificate = client->save_certificate(enrolled.body);
  EXPECT_EQ(username_of(certificate), "S1");
  EXPECT_NE(client
                ->openssl({"x509", "-in", certificate.string(), "-noout", "-subject", "-nameopt",
                           "RFC2253"})
                .find("O=Acme"),
            std::string::npos)
      << "the registration decides, not the vendor's subject";

  const Device renewal{.key = device.key, .csr = {}, .certificate = certificate};
  client->make_csr(own, "/CN=S1/O=Acme");
  const Answer renewed = client->post("factory/simplereenroll", EstClient::csr_base64(own),
                                      EstClient::as_device(renewal));
  EXPECT_EQ(renewed.status, 200) << renewed.body << server->err();
  // The vendor's certificate renews nothing.
  EXPECT_EQ(client
                ->post("factory/simplereenroll", EstClient::csr_base64(device),
                       EstClient::as_device(device))
                .status,
            403);
}

TEST_F(VendorMode, AnAnchorCountsFromTheNextRequestOnOpenConnectionsAndAfterAKill) {
  const Device device = known_device("S2");
  OpenConnection connection(installation, *server, device);
  const std::string csr = EstClient::csr_base64(device);
  EXPECT_EQ(connection.post("factory/simpleenroll", csr).status, 403);
  trust(acme->intermediate(), "acme");
  const Answer enrolled = connection.post("factory/simpleenroll", csr);
  EXPECT_EQ(enrolled.status, 200) << enrolled.body;
  EXPECT_EQ(enrolled.connections, 0) << "it was the connection of before";

  kill_and_start();
  EXPECT_EQ(enroll(device).status, 200) << "the same request, the same certificate";
  OpenConnection after(installation, *server, device);
  EXPECT_EQ(after.get("cacerts").status, 200);
  estia_ok({"anchor", "remove", "acme", "--yes"});
  const Answer refused = after.post("factory/simpleenroll", csr);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.connections, 0);
  EXPECT_TRUE(logged("auth.certificate_untrusted"));
}

/// Only chains through the CA that is listed count.
TEST_F(VendorMode, AnIntermediateIsNoOtherIntermediate) {
  trust(acme->intermediate(), "acme");
  register_device("S3");
  const VendorPki other(*client, "Acme");  // the same names, other keys
  EXPECT_EQ(enroll(other.make_device("/CN=IDevID/serialNumber=S3")).status, 403);
  EXPECT_EQ(enroll(acme->make_device_of(acme->root(), "/CN=IDevID/serialNumber=S3")).status, 403);
  EXPECT_EQ(enroll(acme->make_device("/CN=IDevID/serialNumber=S3")).status, 200);
}

TEST_F(VendorMode, RefusesWhatTheVendorDidNotSay) {
  trust(acme->intermediate(), "acme");
  const Device device = known_device("S4");
  Device other = device;
  client->make_csr(other, "/CN=IDevID/serialNumber=S5");
  EXPECT_EQ(enroll(other).status, 403) << "another subject than the vendor's";
  EXPECT_EQ(enroll(acme->make_device("/CN=IDevID/serialNumber=S99")).status, 403)
      << "not registered";
  EXPECT_EQ(enroll(acme->make_device("/CN=IDevID")).status, 400) << "without the field";
  const std::string server_only = "extendedKeyUsage = serverAuth\n";
  EXPECT_EQ(enroll(acme->make_device("/CN=IDevID/serialNumber=S4", server_only)).status, 403);
  for (const char* id : {"vendor.names_differ", "entity.unknown", "enroll.no_username",
                         "auth.certificate_untrusted"}) {
    EXPECT_TRUE(logged(id)) << id;
  }
  EXPECT_EQ(enroll(device).status, 200);
}

/// A vendor's certificate is for the first enrolment: while the device holds a certificate of ours
/// it has to use that one.
TEST_F(VendorMode, OpensTheDoorOnce) {
  trust(acme->intermediate(), "acme");
  Device device = known_device("S6");
  const Answer first = enroll(device);
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(enroll(device).body, first.body) << "a repetition";
  const std::string serial = serial_of(client->save_certificate(first.body));
  Device again = acme->make_device("/CN=IDevID/serialNumber=S6");
  EXPECT_EQ(enroll(again).status, 403);
  estia_ok({"hold", "--serial", serial});
  EXPECT_EQ(enroll(again).status, 403) << "a hold is no way in";
  estia_ok({"revoke", "--serial", serial});
  EXPECT_EQ(enroll(again).status, 200) << server->err();
  EXPECT_TRUE(logged("vendor.not_first"));
}

/// The first enrolment is the one place where a device may bring names of its own, by a switch.
TEST_F(VendorMode, NewNamesBySwitchAndOnlyThoseTheProfileLeavesOpen) {
  trust(acme->intermediate(), "acme");
  Device device = known_device("S12");
  const auto key = crypto::PrivateKey::from_pem(Secret(read_file(device.key)));
  const auto wish = [&](const std::string& subject) {
    const Bytes csr =
        test::csr_for_new_names(key, "CN=IDevID,serialNumber=S12", {}, test::new_names(subject));
    return client->post("factory/simpleenroll", base64_encode(csr), EstClient::as_device(device));
  };
  EXPECT_EQ(wish("CN=pump-3").status, 403);
  EXPECT_TRUE(logged("change_subject.not_allowed"));
  ASSERT_TRUE(change_configuration("name = \"factory\"\n",
                                   "name = \"factory\"\nallow_change_subject_name = true\n"));
  EXPECT_EQ(wish("CN=pump-3").status, 403) << "the registration says S12";
  EXPECT_TRUE(logged("override.subject"));
  const std::string profile = "name = \"device\"\nvalidity = \"365d\"\n";
  ASSERT_TRUE(change_configuration(profile, profile + "override_subject = true\n"));
  const Answer renamed = wish("CN=pump-3");
  ASSERT_EQ(renamed.status, 200) << renamed.body << server->err();
  const auto certificate = client->save_certificate(renamed.body);
  EXPECT_NE(client
                ->openssl({"x509", "-in", certificate.string(), "-noout", "-subject", "-nameopt",
                           "RFC2253"})
                .find("CN=pump-3"),
            std::string::npos);
  EXPECT_EQ(username_of(certificate), "S12") << "the end entity is the vendor's device";
}

/// What estia explain says of a request is what becomes of it.
TEST_F(VendorMode, ExplainTellsWhatWouldBecomeOfARequest) {
  const Device device = known_device("S13");
  const auto explain = [&] {
    return estia_ok({"explain", "--alias", "factory", "--csr", device.csr.string(), "--cert",
                     device.certificate.string()});
  };
  EXPECT_NE(explain().find("auth.certificate_untrusted"), std::string::npos) << explain();
  trust(acme->intermediate(), "acme");
  for (int i = 0; i < 2; ++i) {
    const std::string told = explain();
    for (const char* part : {"issued", "vendor certificate", "S13", "CN=S13,O=Acme", "client"}) {
      EXPECT_NE(told.find(part), std::string::npos) << part << "\n" << told;
    }
  }
  const Answer enrolled = enroll(device);
  ASSERT_EQ(enrolled.status, 200) << "nothing was used up" << enrolled.body;
  EXPECT_NE(explain().find("repeated"), std::string::npos);
  const Device again = acme->make_device("/CN=IDevID/serialNumber=S13");
  const std::string refused = estia_ok({"explain", "--alias", "factory", "--csr",
                                        again.csr.string(), "--cert", again.certificate.string()});
  EXPECT_NE(refused.find("vendor.not_first"), std::string::npos) << refused;
}

/// In RA mode a vendor's certificate would make end entities that nobody registered: by switch.
TEST_F(VendorMode, InRaModeOnlyBySwitchAndInsideTheScope) {
  const std::string alias =
      "[[alias]]\nname = \"open\"\nca = \"issuing\"\nend_entity_profile = \"device\"\n"
      "certificate_profile = \"device\"\nauthenticators = [\"vendor-certificate\"]\n"
      "ra_scope = \"CN=dev-*\"\n";
  const auto document = client->new_file(".toml");
  write_new_file(document, estia_ok({"config", "export"}) + alias, FileMode::secret);
  EXPECT_EQ(estia({"apply", document.string()}).code, 1) << "the switch is missing";
  EXPECT_TRUE(add_configuration(alias + "vendor_in_ra_mode = true\n"));
  estia_ok({"anchor", "add", acme->intermediate().certificate.string(), "--name", "acme",
            "--revocation", "none", "--vendor-of", "open", "--yes"});
  const auto enroll_open = [&](const Device& device) {
    return client->post("open/simpleenroll", EstClient::csr_base64(device),
                        EstClient::as_device(device));
  };
  const Answer made = enroll_open(acme->make_device("/CN=dev-1"));
  ASSERT_EQ(made.status, 200) << made.body << server->err();
  EXPECT_EQ(username_of(client->save_certificate(made.body)), "dev-1");
  EXPECT_EQ(enroll_open(acme->make_device("/CN=other-1")).status, 403);
  // An end entity that an RA made under this username with other names is not theirs.
  Device named = client->make_device("/CN=dev-2/O=Elsewhere");
  client->enroll(named);
  EXPECT_EQ(enroll_open(acme->make_device("/CN=dev-2")).status, 403);
}

/// A certificate of a foreign CA is a registration authority only where an alias both trusts the CA
/// and lists the certificate.
TEST_F(VendorMode, AForeignRegistrationAuthorityIsListedBelowAnExplicitAnchor) {
  const Device authority =
      acme->make_device("/CN=Acme RA", "extendedKeyUsage = clientAuth, 1.3.6.1.5.5.7.3.28\n");
  const std::string line = "name = \"est\"\n";
  const auto named = [&](const std::string& cn) {
    Device device = client->make_device("/CN=" + cn);
    return client
        ->post("simpleenroll", EstClient::csr_base64(device), EstClient::as_device(authority))
        .status;
  };
  EXPECT_NE(named("dev-10"), 200) << "cmcRA of a foreign CA is nothing";
  estia_ok({"anchor", "add", acme->root().certificate.string(), "--name", "acme", "--revocation",
            "none", "--explicit-of", "est", "--yes"});
  EXPECT_NE(named("dev-10"), 200) << "trusted and not listed";
  const std::string serial = serial_of(authority.certificate);
  ASSERT_TRUE(change_configuration(
      "ra_scope = \"any\"\n",
      "ra_scope = \"any\"\nra_certificates = [\"" + serial + "@CN=Acme Devices\"]\n"));
  ASSERT_TRUE(change_configuration("\"basic\"", "\"client-certificate\", \"basic\""));
  EXPECT_EQ(named("dev-10"), 200) << server->err();
  // It renews nothing here, its own certificate least of all.
  EXPECT_EQ(client
                ->post("simplereenroll", EstClient::csr_base64(authority),
                       EstClient::as_device(authority))
                .status,
            403);
  estia_ok({"anchor", "remove", "acme", "--yes"});
  EXPECT_NE(named("dev-11"), 200);
}

TEST_F(VendorMode, TheOperatorSeesWhatIsTrustedBeforeItIs) {
  const auto& certificate = acme->root().certificate;
  const Finished unasked =
      estia({"anchor", "add", certificate.string(), "--name", "acme", "--revocation", "none"});
  EXPECT_EQ(unasked.code, 2) << "nobody can be asked";
  EXPECT_EQ(estia_ok({"anchor", "list"}), "");
  const std::string shown = trust(acme->root(), "acme");
  std::string sha256 =
      client->openssl({"x509", "-in", certificate.string(), "-noout", "-fingerprint", "-sha256"});
  sha256 = sha256.substr(sha256.find('=') + 1);
  std::erase(sha256, ':');
  std::ranges::transform(sha256, sha256.begin(), [](unsigned char c) { return std::tolower(c); });
  EXPECT_NE(shown.find(sha256.substr(0, 64)), std::string::npos) << shown;
  EXPECT_NE(shown.find("sha512"), std::string::npos);
  EXPECT_NE(estia({"anchor", "add", certificate.string(), "--name", "acme", "--revocation", "none",
                   "--yes"})
                .code,
            0)
      << "the name is taken";
  EXPECT_NE(estia({"anchor", "add", (installation.ca_bundle()).string(), "--name", "ours",
                   "--revocation", "none", "--yes"})
                .code,
            0);
  EXPECT_NE(estia({"anchor", "remove", "nobody", "--yes"}).code, 0);
  EXPECT_NE(estia({"anchor", "add", certificate.string(), "--name", "b", "--yes"}).code, 0)
      << "there is no default for revocation";
}

TEST_F(VendorMode, OurCaIsFetchedAsPemDerAndChain) {
  const std::string pem = estia_ok({"ca", "show", "issuing", "--pem"});
  const auto file = client->new_file(".pem");
  write_new_file(file, pem, FileMode::secret);
  client->openssl({"verify", "-CAfile", installation.ca_bundle().string(), file.string()});
  const auto der = client->new_file(".der");
  write_new_file(der, estia_ok({"ca", "show", "issuing", "--der"}), FileMode::secret);
  EXPECT_EQ(client->openssl({"x509", "-inform", "DER", "-in", der.string()}), pem);
  const std::string chain = estia_ok({"ca", "show", "issuing", "--chain"});
  EXPECT_TRUE(chain.starts_with(pem));
  EXPECT_GT(chain.size(), pem.size());
  EXPECT_NE(estia_ok({"ca", "list"}).find("issuing\t"), std::string::npos);
  EXPECT_NE(estia({"ca", "show", "nobody"}).code, 0);
}

}  // namespace
}  // namespace estia::e2e
