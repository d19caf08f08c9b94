// SPDX-License-Identifier: Apache-2.0
// Client mode with curl and openssl: registered end entities and their enrolment codes.
#include <algorithm>
#include <set>

#include "crypto/base/bytes.h"
#include "crypto/base/file.h"
#include "tests/e2e/support/managed_site.h"
#include "tests/e2e/support/open_connection.h"

namespace estia::e2e {
namespace {

/// Three aliases, one for each place where a code may stand.
constexpr const char* kAliases = R"(
[[alias]]
name = "devices"
ca = "issuing"
mode = "client"
username_field = "CN"

[[alias]]
name = "dn-part"
ca = "issuing"
mode = "client"
code_source = "dn-part"
code_field = "OU"
username_field = "CN"

[[alias]]
name = "http"
ca = "issuing"
mode = "client"
code_source = "basic"
)";

class ClientMode : public ManagedSite {
 protected:
  ClientMode() {
    // Somebody is connected the whole time.
    connection = std::make_unique<OpenConnection>(installation, *server);
    EXPECT_EQ(connection->get("cacerts").status, 200);
    EXPECT_TRUE(add_configuration(kAliases));
  }

  void register_device(const std::string& name) {
    register_entity(name, "CN=" + name + ",O=Acme", {"--san", "dns:" + name + ".acme.example"});
  }
  Answer enroll(const std::string& alias, const Device& device,
                const std::vector<std::string>& arguments = {}) {
    return client->post(alias + "/simpleenroll", EstClient::csr_base64(device), arguments);
  }
  std::string subject_of(const std::filesystem::path& certificate) {
    return client->openssl(
        {"x509", "-in", certificate.string(), "-noout", "-subject", "-nameopt", "RFC2253"});
  }

  std::unique_ptr<OpenConnection> connection;
};

/// EJBCA's walk-through, flow 1: with a code, then with the certificate, until it is revoked.
TEST_F(ClientMode, EnrolsWithACodeRenewsWithItsCertificateAndEndsWithRevocation) {
  for (const std::string algorithm : {"P-256", "RSA-2048"}) {
    const std::string name = "device-" + algorithm;
    register_device(name);
    Device device = client->make_device_with_challenge(name, new_code(name), algorithm);
    const Answer enrolled = enroll("devices", device);
    ASSERT_EQ(enrolled.status, 200) << enrolled.body;
    device.certificate = client->save_certificate(enrolled.body);
    client->openssl(
        {"verify", "-CAfile", installation.ca_bundle().string(), device.certificate.string()});
    // The registration decides: the CSR had a CN alone.
    EXPECT_NE(subject_of(device.certificate).find("O=Acme,CN=" + name), std::string::npos)
        << subject_of(device.certificate);
    EXPECT_EQ(username_of(device.certificate), name);

    client->make_csr(device, "/CN=" + name + "/O=Acme", "DNS:" + name + ".acme.example");
    const auto renew = [&] {
      return client->post("devices/simplereenroll", EstClient::csr_base64(device),
                          EstClient::as_device(device));
    };
    EXPECT_EQ(renew().status, 200);
    estia_ok({"revoke", "--serial", serial_of(device.certificate)});
    EXPECT_EQ(renew().status, 403);
  }
  EXPECT_EQ(connection->get("cacerts").connections, 0) << "nothing was restarted";
}

TEST_F(ClientMode, SpentWrongAndUnknownAreToldApartByNobody) {
  register_device("device-1");
  const std::string code = new_code("device-1");
  EXPECT_EQ(enroll("devices", client->make_device_with_challenge("device-1", code)).status, 200);
  const Answer spent = enroll("devices", client->make_device_with_challenge("device-1", code));
  const Answer wrong = enroll("devices", client->make_device_with_challenge("device-1", "wrong"));
  // Found by a reviewer: what else was wrong with the request told a spent code from a wrong one.
  ASSERT_TRUE(
      change_configuration("validity = \"365d\"\nbackdate = \"5m\"\nkey_types = [\"P-256\", "
                           "\"P-384\", \"P-521\", \"RSA-2048\", \"RSA-3072\", \"RSA-4096\", "
                           "\"Ed25519\"]\nkey_usage = [\"digitalSignature\", "
                           "\"keyEncipherment\"]\nextended_key_usage = [\"clientAuth\"]",
                           "validity = \"365d\"\nkey_types = [\"P-256\"]\nkey_usage = "
                           "[\"digitalSignature\"]\nextended_key_usage = [\"clientAuth\"]"));
  const Answer spent_and_weak =
      enroll("devices", client->make_device_with_challenge("device-1", code, "P-384"));
  const Answer unknown = enroll("devices", client->make_device_with_challenge("device-2", code));
  estia_ok({"entity", "disable", "--username", "device-1"});
  const Answer disabled =
      enroll("devices", client->make_device_with_challenge("device-1", new_code("device-1")));
  for (const Answer* answer : {&spent, &spent_and_weak, &wrong, &unknown, &disabled}) {
    EXPECT_EQ(answer->status, 403) << "nothing to challenge with";
    EXPECT_EQ(answer->body, spent.body);
    EXPECT_EQ(answer->header("Content-Type"), spent.header("Content-Type"));
  }
  // The operator sees which was which.
  for (const char* reason : {"used up", "wrong code", "no such end entity", "is disabled"}) {
    EXPECT_TRUE(logged(reason)) << reason;
  }
  EXPECT_EQ(server->err().find(code), std::string::npos);
}

/// A request that binds itself to its connection uses the binding up; that a code is spent must not
/// show in the connection's end (found by a reviewer).
TEST_F(ClientMode, SpentAndWrongAreNotToldApartByTheConnection) {
  register_entity("device-1", "CN=device-1");
  const std::string code = new_code("device-1");
  const auto ask = [&](const std::string& password) {
    return enroll("http", client->make_device_with_challenge("device-1", "no binding"),
                  client->as_user("device-1", password));
  };
  ASSERT_EQ(
      enroll("http", client->make_device("/CN=device-1"), client->as_user("device-1", code)).status,
      200);
  const Answer spent = ask(code);
  const Answer wrong = ask("wrong");
  EXPECT_EQ(spent.status, 401);
  EXPECT_EQ(spent.status, wrong.status);
  EXPECT_EQ(spent.header("Connection"), wrong.header("Connection"));
}

TEST_F(ClientMode, ACodeMayStandInTheSubjectOrInTheHeader) {
  register_device("device-1");
  const std::string first = new_code("device-1");
  Device device = client->make_device("/CN=device-1/OU=" + first);
  const Answer by_dn = enroll("dn-part", device);
  ASSERT_EQ(by_dn.status, 200) << by_dn.body;
  EXPECT_EQ(subject_of(client->save_certificate(by_dn.body)).find(first), std::string::npos);

  const std::string second = new_code("device-1");
  device = client->make_device("/CN=whatever");
  const Answer challenge = enroll("http", device);
  EXPECT_EQ(challenge.status, 401);
  EXPECT_NE(challenge.header("WWW-Authenticate").find("Basic"), std::string::npos);
  EXPECT_EQ(enroll("http", device, client->as_user("device-1", "wrong")).status, 401);
  EXPECT_EQ(enroll("http", device, client->as_user("device-1", second)).status, 200);
  EXPECT_EQ(
      enroll("http", client->make_device("/CN=x"), client->as_user("device-1", second)).status, 401)
      << "spent";

  // No code is anywhere but with its device.
  const std::string everything = server->out() + server->err() + [&] {
    std::string rows;
    for (const char* table : {"certificate", "end_entity", "enrollment_code", "audit"}) {
      rows += installation.query(std::string("SELECT * FROM ") + table);
    }
    return rows;
  }();
  const std::string database = read_file(installation.state() / "estia.db");
  for (const std::string& code : {first, second}) {
    EXPECT_EQ(everything.find(code), std::string::npos);
    EXPECT_EQ(database.find(code), std::string::npos);
  }
}

/// 64 requests at once, each with a key of its own, through the whole server.
TEST_F(ClientMode, OfSixtyFourRequestsWithOneCodeExactlyOneIsServed) {
  register_device("device-1");
  const std::string code = new_code("device-1");
  constexpr std::size_t kRequests = 64;
  std::vector<std::unique_ptr<Child>> children;
  std::vector<std::filesystem::path> outs;
  for (std::size_t i = 0; i < kRequests; ++i) {
    const auto body = client->new_file(".b64");
    write_new_file(body,
                   EstClient::csr_base64(client->make_device_with_challenge("device-1", code)),
                   FileMode::secret);
    outs.push_back(client->new_file(".out"));
    children.push_back(std::make_unique<Child>(Child::Command{
        .arguments = {"curl", "-q", "-sS", "--max-time", "60", "--cacert",
                      installation.ca_bundle().string(), "-o", "/dev/null", "-w", "%{http_code}",
                      "-H", "Content-Type: application/pkcs10", "--data-binary",
                      "@" + body.string(), server->url("devices/simpleenroll")},
        .out = outs.back(),
        .err = client->new_file(".err")}));
  }
  std::multiset<std::string> statuses;
  for (std::size_t i = 0; i < kRequests; ++i) {
    ASSERT_EQ(children[i]->wait(std::chrono::minutes(2)), 0);
    statuses.insert(read_file(outs[i]));
  }
  EXPECT_EQ(statuses.count("200"), 1U);
  EXPECT_EQ(statuses.count("403"), kRequests - 1) << *statuses.begin() << *statuses.rbegin();
  EXPECT_EQ(installation.query("SELECT count(*) FROM certificate WHERE username = 'device-1'"),
            "1");
}

TEST_F(ClientMode, RegistrationsAndCodesSurviveKill9) {
  register_device("device-1");
  const std::string code = new_code("device-1", 2);
  EXPECT_EQ(enroll("devices", client->make_device_with_challenge("device-1", code)).status, 200);
  connection.reset();
  kill_and_start();
  EXPECT_EQ(enroll("devices", client->make_device_with_challenge("device-1", code)).status, 200);
  EXPECT_EQ(enroll("devices", client->make_device_with_challenge("device-1", code)).status, 403);
  EXPECT_NE(estia_ok({"entity", "list"}).find("device-1\tissuing\tCN=device-1,O=Acme\n"),
            std::string::npos);
}

TEST_F(ClientMode, TheOperatorIsToldWhatIsWrong) {
  const auto add = [&](const std::string& username, const std::string& profile,
                       const std::string& subject) {
    return estia({"entity", "add", "--username", username, "--ca", "issuing",
                  "--end-entity-profile", profile, "--certificate-profile", "device", "--subject",
                  subject});
  };
  EXPECT_EQ(add("device-1", "device", "CN=device-1").code, 0);
  const auto refused = [&](const Finished& finished, const char* says) {
    EXPECT_EQ(finished.code, 1);
    EXPECT_NE(finished.err.find(says), std::string::npos) << finished.err;
  };
  refused(add("DEVICE-1", "device", "CN=device-1"), "there is such an end entity already");
  refused(add("device-2", "none", "CN=device-2"), "there is no end-entity profile 'none'");
  refused(add("device-2", "device", "O=Acme"), "needs the attribute CN");
  refused(add("device-2", "device", "nonsense"), "nonsense");
  refused(estia({"code", "new", "--username", "device-2"}), "not registered");
  refused(estia({"code", "new", "--username", "device-1", "--uses", "0"}), "1 to 1000000 uses");
  refused(estia({"entity", "show", "--username", "device-2"}), "not registered");
}

}  // namespace
}  // namespace estia::e2e
