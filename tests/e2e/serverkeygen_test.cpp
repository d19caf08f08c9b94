// SPDX-License-Identifier: Apache-2.0
// Key pairs made in the token for clients, with curl and openssl (RFC 7030 4.4).
#include <set>

#include "crypto/base/file.h"
#include "tests/e2e/support/key_answer.h"
#include "tests/e2e/support/managed_site.h"

namespace estia::e2e {
namespace {

constexpr const char* kDevices = R"(
[[alias]]
name = "devices"
ca = "issuing"
mode = "client"
username_field = "CN"
serverkeygen = ["pkcs8"]
)";

class ServerKeygen : public ManagedSite {
 protected:
  ServerKeygen() { EXPECT_TRUE(add_to_default("serverkeygen = [\"pkcs8\"]")); }

  /// A line more in the alias est.
  bool add_to_default(const std::string& line) const {
    return change_configuration("name = \"est\"\n", "name = \"est\"\n" + line + "\n");
  }
  Answer ask(const Device& device, const std::vector<std::string>& arguments) const {
    return client->post("serverkeygen", EstClient::csr_base64(device), arguments);
  }
  Answer ask_as_ra(const Device& device) const { return ask(device, client->as_ra()); }
  /// "P-256" and so on, as openssl reads the key that came.
  std::string kind_of(const KeyAnswer& answer) const {
    const std::string text =
        client->openssl({"pkey", "-inform", "DER", "-in", answer.key.string(), "-noout", "-text"});
    return text.substr(0, text.find('\n'));
  }
  /// The certificate is for the key that came with it, and of our CA.
  void expect_pair(const KeyAnswer& answer) const {
    EXPECT_EQ(client->openssl({"x509", "-in", answer.certificate.string(), "-noout", "-pubkey"}),
              client->openssl({"pkey", "-inform", "DER", "-in", answer.key.string(), "-pubout"}));
    client->openssl(
        {"verify", "-CAfile", installation.ca_bundle().string(), answer.certificate.string()});
  }
  /// How many keys left the token.
  std::string keys_made() const {
    const std::string status = estia_ok({"status", "--json"});
    const std::size_t at = status.find("\"delivered\": ") + 13;
    return status.substr(at, status.find_first_of(",\n", at) - at);
  }
  /// How many certificates with a key of ours are on record.
  std::string issued() {
    EXPECT_EQ(server->stop(), 0);
    std::string count =
        installation.query("SELECT count(*) FROM certificate WHERE operation = 'serverkeygen'");
    start();
    return count;
  }
  /// What came, as a client that goes on with it.
  Device device_with(const KeyAnswer& answer) const {
    Device device{.key = client->new_file(".key"), .csr = {}, .certificate = answer.certificate};
    client->openssl(
        {"pkey", "-inform", "DER", "-in", answer.key.string(), "-out", device.key.string()});
    return device;
  }
};

TEST_F(ServerKeygen, GivesAKeyOfTheKindThatTheRequestHas_EST_4_4_1_b) {
  for (const auto& [algorithm, told] :
       {std::pair{"P-256", "Private-Key: (256 bit)"}, std::pair{"P-384", "Private-Key: (384 bit)"},
        std::pair{"P-521", "Private-Key: (521 bit)"},
        std::pair{"RSA-2048", "Private-Key: (2048 bit, 2 primes)"},
        std::pair{"RSA-3072", "Private-Key: (3072 bit, 2 primes)"}}) {
    const Device device = client->make_device(std::string("/CN=key-") + algorithm, "", algorithm);
    const Answer answer = ask_as_ra(device);
    ASSERT_EQ(answer.status, 200) << algorithm << answer.body << server->err();
    const KeyAnswer key = save_parts(*client, answer);
    EXPECT_EQ(kind_of(key), told);
    expect_pair(key);
    EXPECT_NE(client->openssl({"pkey", "-inform", "DER", "-in", key.key.string(), "-pubout"}),
              client->openssl({"pkey", "-in", device.key.string(), "-pubout"}))
        << "never the CSR's own";
  }
}

TEST_F(ServerKeygen, TheAnswerIsTwoPartsSpeltAsClientsReadThem_EST_4_4_2_a) {
  const Answer answer = ask_as_ra(client->make_device("/CN=parts-1"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  EXPECT_EQ(answer.header("Content-Transfer-Encoding"), "") << "of the parts, not of the whole";
  const std::vector<Part> parts = parts_of(answer);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].head,
            "Content-Type: application/pkcs8\r\nContent-Transfer-Encoding: base64\r\n");
  EXPECT_EQ(parts[1].head,
            "Content-Type: application/pkcs7-mime; smime-type=certs-only\r\n"
            "Content-Transfer-Encoding: base64\r\n");
}

TEST_F(ServerKeygen, MakesANewKeyForEveryRequest) {
  std::set<Bytes> keys;
  const Device device = client->make_device("/CN=twice-1");
  for (int i = 0; i < 3; ++i) {
    const Answer answer = ask_as_ra(device);
    ASSERT_EQ(answer.status, 200) << answer.body;
    keys.insert(parts_of(answer).at(0).content);
  }
  EXPECT_EQ(keys.size(), 3U);
}

TEST_F(ServerKeygen, IgnoresTheSignatureOfTheRequest_EST_4_4_1_a) {
  const Device device = client->make_device("/CN=broken-1");
  std::string csr = read_file(device.csr);
  csr.back() = static_cast<char>(csr.back() ^ 1);
  const std::string body = base64_encode(as_bytes(csr));
  EXPECT_EQ(client->post("simpleenroll", body, client->as_ra()).status, 400);
  EXPECT_EQ(client->post("serverkeygen", body, client->as_ra()).status, 200) << server->err();
}

TEST_F(ServerKeygen, IsNotFoundWhereTheAliasDoesNotGiveIt_EST_4_4_a) {
  ASSERT_TRUE(add_configuration(kDevices));
  const Device device = client->make_device("/CN=off-1");
  const auto status = [&](const std::string& operation) {
    return client->post(operation, EstClient::csr_base64(device), client->as_ra()).status;
  };
  EXPECT_EQ(status("devices/serverkeygen"), 403) << "on, and this is no code";
  ASSERT_TRUE(change_configuration("username_field = \"CN\"\n", "username_field = \"UID\"\n"));
  ASSERT_TRUE(change_configuration("serverkeygen = [\"pkcs8\"]\n", ""));
  ASSERT_TRUE(change_configuration("serverkeygen = [\"pkcs8\"]\n", ""));
  EXPECT_EQ(status("serverkeygen"), 404);
  EXPECT_EQ(status("est/serverkeygen"), 404);
  EXPECT_EQ(status("devices/serverkeygen"), 404);
}

/// Whom nobody knows gets no key, and none is made for them.
TEST_F(ServerKeygen, RefusesLikeSimpleenroll) {
  const Device device = client->make_device("/CN=refused-1");
  EXPECT_EQ(ask(device, {}).status, 401);
  EXPECT_EQ(ask(device, client->as_user("ra", "wrong password")).status, 401);
  ASSERT_TRUE(change_configuration("ra_scope = \"any\"", "ra_scope = \"CN=dev-*\""));
  EXPECT_EQ(ask_as_ra(device).status, 403);
  EXPECT_TRUE(logged("enroll.outside_scope"));
  EXPECT_EQ(keys_made(), "0");
}

/// What is decided with the intent alone must not cost the token a key either.
TEST_F(ServerKeygen, WhomTheStoreRefusesGetsNoKeyMade) {
  const Device own = device_with(save_parts(*client, ask_as_ra(client->make_device("/CN=off-7"))));
  EXPECT_EQ(keys_made(), "1");
  estia_ok({"entity", "disable", "--username", "off-7"});
  const Device wish = client->make_device("/CN=off-7");
  EXPECT_EQ(ask(wish, EstClient::as_device(own)).status, 403);
  EXPECT_EQ(ask_as_ra(wish).status, 403);
  EXPECT_TRUE(logged("entity.disabled"));
  EXPECT_EQ(keys_made(), "1");
}

/// An answer may be lost, and its key with it: the certificate that asked is still good.
TEST_F(ServerKeygen, ARenewalSupersedesNothing) {
  ASSERT_TRUE(change_configuration("name = \"device\"\nvalidity",
                                   "name = \"device\"\nsingle_active = true\nvalidity"));
  const Device own = device_with(save_parts(*client, ask_as_ra(client->make_device("/CN=one-1"))));
  const Device wish = client->make_device("/CN=one-1");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ask(wish, EstClient::as_device(own)).status, 200) << server->err();
  }
  EXPECT_EQ(
      client->post("simplereenroll", EstClient::csr_base64(wish), EstClient::as_device(own)).status,
      200);
  EXPECT_EQ(ask(wish, EstClient::as_device(own)).status, 403) << "superseded by then";
}

TEST_F(ServerKeygen, AKindThatTheProfileLacksIsRefusedOrTheProfilesFirst_EST_4_4_1_b) {
  ASSERT_TRUE(add_configuration(
      "[[certificate_profile]]\nname = \"small\"\nvalidity = \"10d\"\nkey_types = [\"P-384\", "
      "\"P-256\"]\nkey_usage = [\"digitalSignature\"]\nextended_key_usage = [\"clientAuth\"]\n"));
  ASSERT_TRUE(
      change_configuration("certificate_profile = \"device\"", "certificate_profile = \"small\""));
  const Device rsa = client->make_device("/CN=other-1", "", "RSA-2048");
  EXPECT_EQ(ask_as_ra(rsa).status, 400);
  EXPECT_TRUE(logged("key.not_in_profile"));
  EXPECT_EQ(kind_of(save_parts(*client, ask_as_ra(client->make_device("/CN=other-2")))),
            "Private-Key: (256 bit)");
  ASSERT_TRUE(add_to_default("serverkeygen_other_key = true"));
  EXPECT_EQ(kind_of(save_parts(*client, ask_as_ra(rsa))), "Private-Key: (384 bit)");
}

/// SoftHSM 2.6.1 does not let Ed25519 keys out wrapped: said clearly, and nothing is issued.
TEST_F(ServerKeygen, AKindThatTheTokenDoesNotLetOutIsRefused) {
  const Answer answer = ask_as_ra(client->make_device("/CN=ed-1", "", "Ed25519"));
  EXPECT_EQ(answer.status, 409) << answer.body;
  EXPECT_TRUE(logged("serverkeygen.unsupported"));
  EXPECT_EQ(issued(), "0");
}

/// With a certificate whose key was made here: the rules of simplereenroll (EST-4.4-d).
TEST_F(ServerKeygen, RenewsTheCertificateThatTheClientHas) {
  const Answer first = ask_as_ra(client->make_device("/CN=again-1", "DNS:again-1.example"));
  ASSERT_EQ(first.status, 200) << first.body;
  const Device own = device_with(save_parts(*client, first));
  Device wish = client->make_device("/CN=again-1", "DNS:again-1.example");
  const Answer renewed = ask(wish, EstClient::as_device(own));
  ASSERT_EQ(renewed.status, 200) << renewed.body << server->err();
  const KeyAnswer second = save_parts(*client, renewed);
  expect_pair(second);
  EXPECT_EQ(username_of(second.certificate), "again-1");
  EXPECT_TRUE(logged("kind=rekey"));
  EXPECT_EQ(ask(client->make_device("/CN=somebody-else"), EstClient::as_device(own)).status, 403);
  EXPECT_TRUE(logged("reenroll.names_differ"));
  estia_ok({"revoke", "--serial", serial_of(own.certificate)});
  EXPECT_EQ(ask(wish, EstClient::as_device(own)).status, 401) << "an account might do";
  EXPECT_TRUE(logged("id=auth.required detail=\"auth.certificate_revoked: client certificate "))
      << "found in review: nothing told the operator";
  EXPECT_EQ(ask(wish, EstClient::as_device(device_with(second))).status, 200);
}

/// When it may be renewed is said for simplereenroll, and holds here.
TEST_F(ServerKeygen, RenewsWithinTheWindowOnly) {
  const Device own = device_with(save_parts(*client, ask_as_ra(client->make_device("/CN=soon-1"))));
  const Device wish = client->make_device("/CN=soon-1");
  ASSERT_TRUE(add_to_default("renewal_window = \"1d\""));
  EXPECT_EQ(ask(wish, EstClient::as_device(own)).status, 403);
  EXPECT_TRUE(logged("reenroll.too_early"));
  EXPECT_EQ(keys_made(), "1");
}

TEST_F(ServerKeygen, TakesPostAlone_HTTP_15_5_6_a) {
  for (const char* method : {"GET", "PUT", "DELETE"}) {
    const Answer answer =
        client->request("serverkeygen", {"-X", method, "-u", "ra:wrong", "--data-binary", ""});
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.header("Allow"), "POST") << method;
  }
  EXPECT_EQ(client->request("serverkeygen", {"--head"}).status, 405);
}

/// EJBCA's walk-through, flow 2: client mode, by code.
TEST_F(ServerKeygen, InClientModeByCode) {
  ASSERT_TRUE(add_configuration(kDevices));
  register_entity("unit-7", "CN=unit-7,O=Acme");
  const std::string code = new_code("unit-7");
  const auto with_code = [&] {
    return client->post("devices/serverkeygen",
                        EstClient::csr_base64(client->make_device_with_challenge("unit-7", code)));
  };
  const Answer answer = with_code();
  ASSERT_EQ(answer.status, 200) << answer.body << server->err();
  const KeyAnswer key = save_parts(*client, answer);
  expect_pair(key);
  EXPECT_EQ(username_of(key.certificate), "unit-7");
  // Nothing is given twice, and a spent code makes no key.
  EXPECT_EQ(with_code().status, 403);
  EXPECT_EQ(issued(), "1");
}

TEST_F(ServerKeygen, StatusSaysHowKeysLeaveTheToken) {
  std::string status;
  do {  // it is found out while estiad answers
    status = estia_ok({"status", "--json"});
  } while (status.find("not found out yet") != std::string::npos);
  EXPECT_NE(status.find("\"mechanism\": \"CKM_AES_KEY_WRAP_PAD"), std::string::npos) << status;
  EXPECT_NE(status.find("\"ed25519\": false"), std::string::npos) << status;
}

}  // namespace
}  // namespace estia::e2e
