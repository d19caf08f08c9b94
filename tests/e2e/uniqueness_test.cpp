// SPDX-License-Identifier: Apache-2.0
// Unique subjects and keys, enforced key renewal and a single active certificate, as clients and an
// operator of the running estiad meet them.
#include <set>
#include <thread>
#include <utility>

#include "crypto/keys/private_key.h"
#include "tests/e2e/support/managed_site.h"
#include "tests/e2e/support/open_connection.h"
#include "tests/e2e/support/raw_enrol.h"
#include "tests/support/certificates.h"
#include "tests/support/est_request.h"
#include "tests/support/tls_client.h"

namespace estia::e2e {
namespace {

class Uniqueness : public ManagedSite {
 protected:
  static crypto::PrivateKey new_key() {
    return crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
  }
  [[nodiscard]] std::unique_ptr<test::TlsClient> connect() const {
    return std::make_unique<test::TlsClient>(
        static_cast<std::uint16_t>(std::stoul(server->port())));
  }
  /// As the alias's account, over a connection that stays open.
  [[nodiscard]] test::HttpAnswer enroll(test::TlsClient& connection, const crypto::PrivateKey& key,
                                        const std::string& name) const {
    connection.send(test::est_request("simpleenroll", test::make_csr_der(key, "CN=" + name),
                                      test::basic_authorization(ra_account(installation))));
    return connection.read_answer();
  }
  void use_random_usernames() const {
    ASSERT_TRUE(change_configuration("name_scheme = \"dn\"\nname_parameters = [\"CN\"]\n",
                                     "name_scheme = \"random\"\n"));
  }
  [[nodiscard]] std::string certificates() const {
    return installation.query("SELECT count(*) FROM certificate WHERE username <> ''");
  }
};

TEST_F(Uniqueness, ASubjectIsRenewedByItsUsernameAndRefusedToOthers) {
  const auto connection = connect();
  const test::HttpAnswer first = enroll(*connection, new_key(), "device-1");
  const test::HttpAnswer renewed = enroll(*connection, new_key(), "device-1");
  ASSERT_EQ(first.status, 200) << first.body;
  ASSERT_EQ(renewed.status, 200) << renewed.body;
  EXPECT_EQ(username_of(client->save_certificate(first.body)), "device-1");
  EXPECT_EQ(username_of(client->save_certificate(renewed.body)), "device-1");
  use_random_usernames();
  const test::HttpAnswer refused = enroll(*connection, new_key(), "device-1");
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("belongs to another end entity"), std::string::npos) << refused.body;
  EXPECT_EQ(refused.body.find("device-1"), std::string::npos) << refused.body;
  EXPECT_EQ(certificates(), "2");
  // An answer is logged once it is sent: all lines are there after the end.
  const auto stopped = std::exchange(server, nullptr);
  EXPECT_EQ(stopped->stop(), 0);
  const std::string log = stopped->err();
  EXPECT_NE(log.find("unique.subject"), std::string::npos) << log;
  EXPECT_NE(log.find("held by device-1"), std::string::npos) << log;
}

TEST_F(Uniqueness, TheServersOwnNameIsNobodyElses) {
  const auto connection = connect();
  EXPECT_EQ(enroll(*connection, new_key(), "localhost").status, 403);
}

TEST_F(Uniqueness, ASwitchTurnedOffCountsForTheNextRequestOfAnOpenConnection) {
  use_random_usernames();
  const auto connection = connect();
  const auto key = new_key();
  EXPECT_EQ(enroll(*connection, key, "device-1").status, 200);
  EXPECT_EQ(enroll(*connection, new_key(), "device-1").status, 403);
  ASSERT_TRUE(change_configuration("unique_subject = true", "unique_subject = false"));
  EXPECT_EQ(enroll(*connection, new_key(), "device-1").status, 200);
  EXPECT_EQ(enroll(*connection, key, "device-2").status, 403) << "the key's switch is another";
  ASSERT_TRUE(change_configuration("unique_key = true", "unique_key = false"));
  EXPECT_EQ(enroll(*connection, key, "device-2").status, 200);
  ASSERT_TRUE(change_configuration("unique_subject = false", "unique_subject = true"));
  EXPECT_EQ(enroll(*connection, new_key(), "device-1").status, 403) << "on again";
}

TEST_F(Uniqueness, OfRequestsThatRaceWithOneKeyOneIsIssuedAndAKillForgetsNothing) {
  constexpr std::size_t kClients = 8;
  const auto key = new_key();
  std::vector<int> statuses(kClients);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kClients; ++i) {
      threads.emplace_back([&, i] {
        const auto connection = connect();
        statuses[i] = enroll(*connection, key, "device-" + std::to_string(i)).status;
      });
    }
  }
  EXPECT_EQ(std::multiset<int>(statuses.begin(), statuses.end()),
            (std::multiset<int>{200, 403, 403, 403, 403, 403, 403, 403}));
  EXPECT_EQ(certificates(), "1");
  const std::string holder =
      installation.query("SELECT username FROM certificate WHERE username <> ''");
  kill_and_start();
  const auto connection = connect();
  EXPECT_EQ(enroll(*connection, key, "other").status, 403);
  EXPECT_EQ(enroll(*connection, key, holder).status, 200) << "its own end entity may keep it";
}

TEST_F(Uniqueness, WhereKeyRenewalIsEnforcedTheOldKeyIsTheClientsMistake) {
  ASSERT_TRUE(change_configuration("unique_key = true\n",
                                   "unique_key = true\nenforce_key_renewal = true\n"));
  Device device = client->make_device("/CN=device-1");
  client->enroll(device);
  OpenConnection open(installation, *server, device);
  const Answer same = open.post("simplereenroll", EstClient::csr_base64(device));
  EXPECT_EQ(same.status, 400) << same.body;
  const Answer other =
      open.post("simplereenroll", EstClient::csr_base64(client->make_device("/CN=device-1")));
  EXPECT_EQ(other.status, 200) << other.body;
}

TEST_F(Uniqueness, WithASingleActiveCertificateARenewalEndsTheOldOne) {
  const std::string profile = "name = \"device\"\nvalidity = \"365d\"\n";
  ASSERT_TRUE(change_configuration(profile, profile + "single_active = true\n"));
  Device old = client->make_device("/CN=device-1");
  client->enroll(old);
  OpenConnection open(installation, *server, old);
  Device next = client->make_device("/CN=device-1");
  const Answer renewed = open.post("simplereenroll", EstClient::csr_base64(next));
  ASSERT_EQ(renewed.status, 200) << renewed.body;
  next.certificate = client->save_certificate(renewed.body);
  const std::string another = EstClient::csr_base64(client->make_device("/CN=device-1"));
  EXPECT_EQ(open.post("simplereenroll", another).status, 403) << "superseded";
  // Had the answer been lost, the old certificate is all that the device could ask again with.
  const Answer repeated = open.post("simplereenroll", EstClient::csr_base64(next));
  EXPECT_EQ(repeated.status, 200) << repeated.body;
  EXPECT_EQ(repeated.body, renewed.body);
  const std::string shown = estia_ok({"cert", "show", "--serial", serial_of(old.certificate)});
  EXPECT_NE(shown.find("superseded"), std::string::npos) << shown;
  kill_and_start();
  EXPECT_EQ(client->post("simplereenroll", another, EstClient::as_device(old)).status, 403);
  EXPECT_EQ(client->post("simplereenroll", another, EstClient::as_device(next)).status, 200);
}

}  // namespace
}  // namespace estia::e2e
