// SPDX-License-Identifier: Apache-2.0
// The rules of an alias for renewals, with curl and openssl against the real estiad: window, grace,
// registration authorities, new names.
#include <algorithm>
#include <cctype>
#include <thread>

#include "crypto/base/file.h"
#include "tests/e2e/support/managed_site.h"
#include "tests/e2e/support/open_connection.h"
#include "tests/support/new_names_request.h"

namespace estia::e2e {
namespace {

using test::csr_for_new_names;
using test::new_names;

/// `line` renews what `est` gave; `rooted` is of another CA.
constexpr const char* kAliases = R"(
[[alias]]
name = "line"
ca = "issuing"
end_entity_profile = "device"
certificate_profile = "device"
ra_scope = "CN=device-*, dns=*.acme.example"

[[alias]]
name = "rooted"
ca = "root"
end_entity_profile = "device"
certificate_profile = "device"
)";
constexpr const char* kSan = "DNS:one.acme.example";

class Renewal : public ManagedSite {
 protected:
  Renewal() { EXPECT_TRUE(add_configuration(kAliases)); }

  /// Adds these lines to the alias `line`.
  [[nodiscard]] bool set(const std::string& lines) const {
    return change_configuration("name = \"line\"\n", "name = \"line\"\n" + lines);
  }
  [[nodiscard]] Device enrolled(const std::string& subject, const std::string& san = "") const {
    Device device = client->make_device(subject, san);
    client->enroll(device);
    return device;
  }
  [[nodiscard]] Answer renew(const Device& as, const std::string& csr,
                             const std::string& alias = "line") const {
    return client->post(alias + "/simplereenroll", csr, EstClient::as_device(as));
  }
  [[nodiscard]] std::string csr_of(const std::string& subject, const std::string& san = "") const {
    return EstClient::csr_base64(client->make_device(subject, san));
  }
  /// A request of device-1 for other names.
  [[nodiscard]] std::string csr_to(const Device& device, const Bytes& value) const {
    const auto key = crypto::PrivateKey::from_pem(Secret(read_file(device.key)));
    return base64_encode(csr_for_new_names(key, "CN=device-1", {"dns:one.acme.example"}, value));
  }
  [[nodiscard]] std::string names_in(const Answer& answer) const {
    if (answer.status != 200) {
      return std::to_string(answer.status) + " " + answer.body;
    }
    return client->openssl({"x509", "-in", client->save_certificate(answer.body).string(), "-noout",
                            "-subject", "-nameopt", "RFC2253", "-ext", "subjectAltName"});
  }
  [[nodiscard]] std::string fingerprint_of(const Device& device) const {
    std::string text = client->openssl(
        {"x509", "-in", device.certificate.string(), "-noout", "-fingerprint", "-sha256"});
    text = text.substr(text.find('=') + 1);
    return text.substr(0, text.find('\n'));
  }
  [[nodiscard]] std::string issued() const {
    return installation.query("SELECT count(*) FROM certificate");
  }
  [[nodiscard]] bool has_expired(const Device& device) const {
    return run({"openssl", "x509", "-in", device.certificate.string(), "-noout", "-checkend", "0"},
               installation.directory())
               .code != 0;
  }
};

TEST_F(Renewal, TheWindowHoldsFromTheNextRequestOnAConnectionThatIsOpen) {
  const Device device = enrolled("/CN=device-1");
  OpenConnection connection(installation, *server, device);
  EXPECT_EQ(connection.post("line/simplereenroll", csr_of("/CN=device-1")).status, 200);
  ASSERT_TRUE(set("renewal_window = \"30d\"\n"));
  const Answer early = connection.post("line/simplereenroll", csr_of("/CN=device-1"));
  EXPECT_EQ(early.status, 403);
  EXPECT_EQ(early.connections, 0);
  EXPECT_NE(early.body.find("may be renewed from 20"), std::string::npos) << early.body;
  EXPECT_NE(early.body.find("Z on"), std::string::npos) << early.body;
  ASSERT_TRUE(change_configuration("renewal_window = \"30d\"", "renewal_window = \"3650d\""));
  const Answer open = connection.post("line/simplereenroll", csr_of("/CN=device-1"));
  EXPECT_EQ(open.status, 200) << open.body;
  EXPECT_EQ(open.connections, 0);
}

TEST_F(Renewal, AnExpiredCertificateIsRenewedWithinTheGraceUnlessItIsRevoked) {
  const std::string profile = "name = \"device\"\nvalidity = ";
  ASSERT_TRUE(change_configuration(profile + "\"365d\"", profile + "\"3s\""));
  const Device device = enrolled("/CN=device-1");
  ASSERT_TRUE(change_configuration(profile + "\"3s\"", profile + "\"365d\""));
  while (!has_expired(device)) {
    std::this_thread::yield();
  }
  EXPECT_EQ(renew(device, csr_of("/CN=device-1")).status, 403);
  ASSERT_TRUE(set("expired_grace = \"1d\"\n"));
  const Answer renewed = renew(device, csr_of("/CN=device-1"));
  EXPECT_EQ(renewed.status, 200) << renewed.body;
  EXPECT_EQ(client->post("line/simpleenroll", csr_of("/CN=device-1"), EstClient::as_device(device))
                .status,
            403)
      << "simpleenroll has no grace";
  EXPECT_EQ(renew(device, csr_of("/CN=device-1"), "est").status, 403) << "another alias, no grace";
  const std::string serial = serial_of(device.certificate);
  estia_ok({"hold", "--serial", serial});
  const Answer held = renew(device, csr_of("/CN=device-1"));
  EXPECT_EQ(held.status, 403);
  EXPECT_NE(held.body.find("revoked"), std::string::npos) << held.body;
  estia_ok({"release", "--serial", serial});
  EXPECT_EQ(renew(device, csr_of("/CN=device-1")).status, 200);
  estia_ok({"revoke", "--serial", serial});
  EXPECT_EQ(renew(device, csr_of("/CN=device-1")).status, 403);
}

TEST_F(Renewal, OnlyTheOriginalCertificateRenews_EST_4_2_2_e) {
  const std::string scheme = "name_scheme = \"";
  ASSERT_TRUE(change_configuration(scheme + "dn\"\nname_parameters = [\"CN\"]",
                                   scheme + "fixed\"\nname_parameters = [\"line-7\"]"));
  const Device one = enrolled("/CN=device-1");
  const Device two = enrolled("/CN=device-2");
  ASSERT_EQ(username_of(one.certificate), username_of(two.certificate));
  const Device ra = enrolled("/CN=device-ra");
  ASSERT_TRUE(set("ra_certificates = [\"" + fingerprint_of(ra) + "\"]\n"));
  const std::string before = issued();
  EXPECT_EQ(renew(two, csr_of("/CN=device-1")).status, 403) << "another one of the same end entity";
  EXPECT_EQ(renew(one, csr_of("/CN=device-1"), "rooted").status, 403) << "of another alias's CA";
  EXPECT_EQ(renew(ra, csr_of("/CN=device-1")).status, 403) << "of the registration authority";
  EXPECT_EQ(issued(), before);
  EXPECT_EQ(renew(one, csr_of("/CN=device-1")).status, 200);
  EXPECT_EQ(renew(ra, csr_of("/CN=device-ra")).status, 200);
}

TEST_F(Renewal, ARegistrationAuthorityRenewsForOthersBySwitch) {
  const Device device = enrolled("/CN=device-1", kSan);
  static_cast<void>(enrolled("/CN=other-1"));
  const Device ra = enrolled("/CN=device-ra");
  ASSERT_TRUE(
      set("ra_certificates = [\"" + fingerprint_of(ra) + "\"]\nallow_renewal_on_behalf = true\n"));
  const Answer renewed = renew(ra, csr_of("/CN=device-1", kSan));
  ASSERT_EQ(renewed.status, 200) << renewed.body;
  EXPECT_EQ(username_of(client->save_certificate(renewed.body)), "device-1");
  EXPECT_EQ(renew(ra, csr_of("/CN=device-1")).status, 403) << "not its names";
  EXPECT_EQ(renew(ra, csr_of("/CN=device-9")).status, 403) << "nobody's names";
  EXPECT_EQ(renew(ra, csr_of("/CN=other-1")).status, 403) << "outside its scope";
  EXPECT_EQ(renew(device, csr_of("/CN=device-ra")).status, 403) << "not the other way round";
  EXPECT_NE(server->err().find("kind=rekey"), std::string::npos) << "EST-4.2.2-d";
  EXPECT_EQ(installation.query("SELECT count(*) FROM audit WHERE what = 'certificate.issued' AND "
                               "detail LIKE 'kind=rekey renewed=%'"),
            "1");
}

TEST_F(Renewal, NewNamesBySwitchInBothForms) {
  using Form = test::NewNamesForm;
  const Device device = enrolled("/CN=device-1", kSan);
  const Bytes wish = new_names("CN=device-9", {"dns:nine.acme.example"});
  const std::string before = issued();
  EXPECT_EQ(renew(device, csr_to(device, wish)).status, 403);
  EXPECT_EQ(client->post("simpleenroll", csr_to(device, wish), client->as_ra()).status, 403)
      << "never silently ignored";
  ASSERT_TRUE(set("allow_change_subject_name_at_renewal = true\n"));
  EXPECT_EQ(renew(device, csr_to(device, der::sequence({}))).status, 400) << "empty";
  EXPECT_EQ(renew(device, csr_to(device, der::null())).status, 400);
  EXPECT_EQ(renew(device, csr_to(device, new_names("CN=server-1"))).status, 403) << "scope";
  EXPECT_EQ(issued(), before);
  for (const Form form : {Form::rfc10002, Form::rfc6402}) {
    const std::string names = names_in(
        renew(device, csr_to(device, new_names("CN=device-9", {"dns:nine.acme.example"}, form))));
    EXPECT_NE(names.find("CN=device-9\n"), std::string::npos) << names;
    EXPECT_NE(names.find("DNS:nine.acme.example"), std::string::npos) << names;
    EXPECT_EQ(names.find("one.acme.example"), std::string::npos) << names;
  }
  const std::string shown = estia_ok({"entity", "show", "--username", "device-1"});
  EXPECT_NE(shown.find("CN=device-9"), std::string::npos);
  std::string serial = serial_of(device.certificate);
  std::ranges::transform(serial, serial.begin(), [](unsigned char c) { return std::tolower(c); });
  EXPECT_NE(shown.find(serial), std::string::npos)
      << "whoever is to revoke a certificate needs its serial number: " << shown;
}

}  // namespace
}  // namespace estia::e2e
