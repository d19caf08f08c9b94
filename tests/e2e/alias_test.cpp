// SPDX-License-Identifier: Apache-2.0
// Roles of client certificates, on aliases that an operator adds with `estia apply` while estiad
// runs.
#include <gtest/gtest.h>

#include "crypto/base/file.h"
#include "tests/e2e/support/est_client.h"

namespace estia::e2e {
namespace {

/// "devices" takes client certificates only; "office" issues registration authorities.
constexpr const char* kMoreAliases = R"(
[[certificate_profile]]
name = "office"
validity = "30d"
key_types = ["P-256"]
key_usage = ["digitalSignature"]
extended_key_usage = ["clientAuth", "cmcRA"]

[[alias]]
name = "devices"
ca = "issuing"
end_entity_profile = "device"
certificate_profile = "device"
authenticators = ["client-certificate"]
ra_scope = "CN=device-*"

[[alias]]
name = "office"
ca = "issuing"
end_entity_profile = "device"
certificate_profile = "office"
authenticators = ["basic"]
ra_scope = "CN=office-*"

[[account]]
alias = "office"
user = "head"
password_file = "head.password"
)";

class Aliases : public testing::Test {
 protected:
  Aliases() {
    server = std::make_unique<EstiadProcess>(installation);
    client = std::make_unique<EstClient>(installation, *server);
    EXPECT_EQ(client->request("devices/cacerts").status, 400) << "not yet";
    const Finished exported =
        installation.estia({"config", "export", "--state", installation.state().string()});
    write_new_file(installation.directory() / "head.password", "head-password-0123456789abcdef\n",
                   FileMode::secret);
    write_new_file(installation.directory() / "more.toml", exported.out + kMoreAliases,
                   FileMode::secret);
    const Finished applied =
        installation.estia({"apply", (installation.directory() / "more.toml").string(), "--state",
                            installation.state().string()});
    EXPECT_EQ(applied.code, 0) << applied.out << applied.err;
  }
  ~Aliases() override { EXPECT_EQ(server->stop(), 0); }

  Answer enroll(const std::string& alias, const std::string& subject,
                const std::vector<std::string>& credentials, const std::string& san = {}) const {
    const Device wanted = client->make_device(subject, san);
    return client->post(alias + "/simpleenroll", EstClient::csr_base64(wanted), credentials);
  }
  Device certified(const std::string& alias, const std::string& subject,
                   const std::vector<std::string>& credentials) const {
    Device device = client->make_device(subject);
    const Answer answer =
        client->post(alias + "/simpleenroll", EstClient::csr_base64(device), credentials);
    EXPECT_EQ(answer.status, 200) << answer.body << answer.error;
    device.certificate = client->save_certificate(answer.body);
    return device;
  }

  const Installation installation;
  std::unique_ptr<EstiadProcess> server;
  std::unique_ptr<EstClient> client;
};

TEST_F(Aliases, ADeviceGetsItsOwnNamesOnly) {
  const Device device = certified("est", "/CN=device-1", client->as_ra());
  const auto as_device = EstClient::as_device(device);
  EXPECT_EQ(enroll("devices", "/CN=device-1", as_device).status, 200);
  EXPECT_EQ(enroll("devices", "/CN=device-2", as_device).status, 403);
  EXPECT_EQ(enroll("devices", "/CN=device-1", as_device, "DNS:device-1.example.com").status, 403);
}

TEST_F(Aliases, ARegistrationAuthorityNamesOthersInsideTheScope_EST_3_7_c) {
  const Device office = certified("office", "/CN=office-1",
                                  client->as_user("head", "head-password-0123456789abcdef"));
  const auto as_office = EstClient::as_device(office);
  EXPECT_EQ(enroll("devices", "/CN=device-7", as_office).status, 200);
  EXPECT_EQ(enroll("devices", "/CN=admin", as_office).status, 403);
  EXPECT_EQ(enroll("office", "/CN=office-2", as_office).status, 401)
      << "the alias takes Basic only";
}

TEST_F(Aliases, OtherCertificatesAreNobody_EST_3_7_c) {
  // The same purposes from a CA of the same name with another key.
  const std::filesystem::path ca_key = client->new_file(".key");
  const std::filesystem::path ca = client->new_file(".pem");
  client->openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                   "-keyout", ca_key.string(), "-out", ca.string(), "-subj", "/CN=Estia Issuing CA",
                   "-days", "1"});
  Device foreign = client->make_device("/CN=office-1");
  foreign.certificate = client->new_file(".pem");
  const std::filesystem::path extensions = client->new_file(".ext");
  write_new_file(extensions, "extendedKeyUsage=clientAuth,1.3.6.1.5.5.7.3.28\n", FileMode::secret);
  client->openssl({"x509", "-req", "-inform", "DER", "-in", foreign.csr.string(), "-CA",
                   ca.string(), "-CAkey", ca_key.string(), "-days", "1", "-extfile",
                   extensions.string(), "-out", foreign.certificate.string()});
  Device server_itself;
  server_itself.key = installation.state() / "tls/server.key";
  server_itself.certificate = installation.state() / "tls/server.pem";
  for (const Device& nobody : {foreign, server_itself}) {
    const Answer answer = enroll("devices", "/CN=device-1", EstClient::as_device(nobody));
    EXPECT_EQ(answer.status, 403) << answer.error;
    EXPECT_EQ(answer.header("WWW-Authenticate"), "");
  }
}

TEST_F(Aliases, WithoutACertificateItIs403WithoutAChallenge_EST_3_2_3_d) {
  for (const auto& credentials : {std::vector<std::string>{}, client->as_ra()}) {
    const Answer answer = enroll("devices", "/CN=device-1", credentials);
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.header("WWW-Authenticate"), "");
  }
  EXPECT_EQ(client->request("devices/cacerts").status, 200);
}

TEST_F(Aliases, AnAccountBelongsToItsAliasOnly) {
  EXPECT_EQ(enroll("office", "/CN=office-3", client->as_ra()).status, 401);
  EXPECT_EQ(enroll("est", "/CN=device-3", client->as_user("head", "head-password-0123456789abcdef"))
                .status,
            401);
}

}  // namespace
}  // namespace estia::e2e
