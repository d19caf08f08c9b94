// SPDX-License-Identifier: Apache-2.0
// RA mode with curl and openssl: a registration authority with certificate and account, and the
// usernames that its requests become.
#include "crypto/base/bytes.h"
#include "crypto/base/file.h"
#include "tests/e2e/support/managed_site.h"

namespace estia::e2e {
namespace {

constexpr const char* kPassword = "line-7-password-0123456789abcdef";
constexpr const char* kAliases = R"(
[[end_entity_profile]]
name = "factory"
required = ["CN"]
optional = ["serialNumber", "UID"]
san = ["dns"]

[[alias]]
name = "ras"
ca = "issuing"
end_entity_profile = "device"
certificate_profile = "ra"
authenticators = ["basic"]
ra_scope = "CN=ra-*"

[[account]]
alias = "ras"
user = "line-7"
password_file = "line-7.password"

[[alias]]
name = "factory"
ca = "issuing"
end_entity_profile = "factory"
certificate_profile = "device"
authenticators = ["client-certificate+basic"]
ra_scope = "CN=*, UID=*, serialNumber=*, dns=*.acme.example"
name_parameters = ["UID", "SN", "CN"]
name_prefix = "f-"

[[account]]
alias = "factory"
user = "line-7"
password_file = "line-7.password"
)";

class RaMode : public ManagedSite {
 protected:
  RaMode() {
    write_new_file(installation.directory() / "line-7.password", std::string(kPassword) + "\n",
                   FileMode::secret);
    EXPECT_TRUE(add_configuration(std::string(kRaProfile) + kAliases));
    ra = client->make_device("/CN=ra-1");
    const Answer made = client->post("ras/simpleenroll", EstClient::csr_base64(ra), account());
    EXPECT_EQ(made.status, 200) << made.body;
    ra.certificate = client->save_certificate(made.body);
  }

  [[nodiscard]] std::vector<std::string> account() const {
    return client->as_user("line-7", kPassword);
  }
  [[nodiscard]] std::vector<std::string> both() const {
    std::vector<std::string> arguments = account();
    const auto certificate = EstClient::as_device(ra);
    arguments.insert(arguments.end(), certificate.begin(), certificate.end());
    return arguments;
  }
  Answer enroll(const std::string& subject, const std::vector<std::string>& credentials) {
    return client->post("factory/simpleenroll", EstClient::csr_base64(client->make_device(subject)),
                        credentials);
  }
  std::string username_after(const std::string& subject) {
    const Answer answer = enroll(subject, both());
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.status == 200 ? username_of(client->save_certificate(answer.body)) : "";
  }

  Device ra;
};

/// EJBCA's walk-through, flow 5.
TEST_F(RaMode, CertificateAndAccountAreBothNeededAndTheSchemeNamesTheEndEntity) {
  EXPECT_EQ(enroll("/CN=device-1", account()).status, 401);
  EXPECT_EQ(enroll("/CN=device-1", EstClient::as_device(ra)).status, 401);
  EXPECT_EQ(username_after("/CN=device-1/serialNumber=4711/UID=u-1"), "f-u-1");
  EXPECT_EQ(username_after("/CN=device-1/serialNumber=4711"), "f-4711");
  EXPECT_EQ(username_after("/CN=device-1"), "f-device-1");
  // The same name again is a renewal of the same end entity.
  EXPECT_EQ(username_after("/CN=device-1"), "f-device-1");
  const std::string listed = estia_ok({"entity", "list"});
  EXPECT_EQ(listed.find("f-device-1\t"), listed.rfind("f-device-1\t"));
  EXPECT_EQ(installation.query("SELECT count(*) FROM certificate WHERE username = 'f-device-1'"),
            "2");
}

TEST_F(RaMode, ADeviceBesideAnAccountStaysADevice) {
  const Answer made = enroll("/CN=device-1", both());
  ASSERT_EQ(made.status, 200);
  Device device = client->make_device("/CN=device-2");
  device.certificate = client->save_certificate(made.body);
  // Its key is another: TLS itself refuses to present that certificate.
  EXPECT_EQ(enroll("/CN=device-3", EstClient::as_device(device)).status, 0);

  Device own = client->make_device("/CN=device-4");
  const Answer first = client->post("factory/simpleenroll", EstClient::csr_base64(own), both());
  ASSERT_EQ(first.status, 200);
  own.certificate = client->save_certificate(first.body);
  std::vector<std::string> credentials = account();
  const auto certificate = EstClient::as_device(own);
  credentials.insert(credentials.end(), certificate.begin(), certificate.end());
  EXPECT_EQ(enroll("/CN=device-5", credentials).status, 403) << "the narrower rights count";
  EXPECT_EQ(client->post("factory/simpleenroll", EstClient::csr_base64(own), credentials).status,
            200);
}

TEST_F(RaMode, ARegistrationAuthorityRenewsNobodyElse) {
  const Answer made = enroll("/CN=device-1", both());
  ASSERT_EQ(made.status, 200);
  const std::string csr = EstClient::csr_base64(client->make_device("/CN=device-1"));
  EXPECT_EQ(client->post("factory/simplereenroll", csr, both()).status, 403);
  EXPECT_EQ(client->post("factory/simplereenroll", csr, account()).status, 403);
  // Its own certificate, where that came from.
  client->make_csr(ra, "/CN=ra-1");
  EXPECT_EQ(client->post("ras/simplereenroll", EstClient::csr_base64(ra), EstClient::as_device(ra))
                .status,
            200);
}

TEST_F(RaMode, AListedCertificateIsARegistrationAuthorityUntilItIsNotListed) {
  Device listed = client->make_device("/CN=listed");
  client->enroll(listed);
  std::string fingerprint = client->openssl(
      {"x509", "-in", listed.certificate.string(), "-noout", "-fingerprint", "-sha256"});
  fingerprint = fingerprint.substr(fingerprint.find('=') + 1);
  fingerprint.resize(fingerprint.find('\n'));
  std::vector<std::string> credentials = account();
  const auto certificate = EstClient::as_device(listed);
  credentials.insert(credentials.end(), certificate.begin(), certificate.end());
  EXPECT_EQ(enroll("/CN=device-1", credentials).status, 403);
  const std::string line = "name_prefix = \"f-\"\n";
  ASSERT_TRUE(change_configuration(line, line + "ra_certificates = [\"" + fingerprint + "\"]\n"));
  EXPECT_EQ(enroll("/CN=device-1", credentials).status, 200);
  std::erase(fingerprint, ':');
  for (char& c : fingerprint) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  ASSERT_TRUE(change_configuration("ra_certificates = [\"" + fingerprint + "\"]\n", ""));
  EXPECT_EQ(enroll("/CN=device-2", credentials).status, 403);
}

}  // namespace
}  // namespace estia::e2e
