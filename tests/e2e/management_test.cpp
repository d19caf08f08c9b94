// SPDX-License-Identifier: Apache-2.0
// Changes of the running estiad through its management socket, while clients are connected. Nothing
// here restarts it.
#include <utility>

#include "tests/e2e/support/management_fixture.h"

namespace estia::e2e {
namespace {

TEST_F(Management, AnAppliedAliasIsUsedByTheNextRequestOnOpenConnections) {
  const std::string original = exported();
  OpenConnection open(installation, *server);
  EXPECT_EQ(open.get("cacerts").status, 200);
  EXPECT_EQ(open.get("factory/cacerts").status, 400);

  const Finished applied = apply(with_factory());
  ASSERT_EQ(applied.code, 0) << applied.err;
  EXPECT_TRUE(applied.out.ends_with(
      "added    alias factory\nadded    account factory/line-7\nconfiguration version 2\n"))
      << applied.out;
  EXPECT_NE(applied.out.find("\n+name = \"factory\"\n"), std::string::npos) << applied.out;
  Answer answer = open.get("factory/cacerts");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.connections, 0) << "the connection stayed";
  EXPECT_EQ(enroll_at_factory("/CN=made-1").status, 200);
  EXPECT_EQ(enroll_at_factory("/CN=other").status, 403);

  EXPECT_EQ(apply(replaced(exported(), "CN=made-*", "CN=other")).code, 0);
  EXPECT_EQ(enroll_at_factory("/CN=made-2").status, 403) << "the scope that is in force";
  EXPECT_EQ(enroll_at_factory("/CN=other").status, 200) << "the account kept its password";

  EXPECT_EQ(apply(original).code, 0);
  answer = open.get("factory/cacerts");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.connections, 0);
  EXPECT_EQ(version(), 4U);
  EXPECT_EQ((server->out() + server->err()).find(kPassword), std::string::npos);
  EXPECT_EQ(std::exchange(server, nullptr)->stop(), 0);
  EXPECT_EQ(installation.query("SELECT group_concat(who || ' ' || object, ', ') FROM audit WHERE "
                               "what = 'config.replaced' AND object > 1"),
            operator_name() + " 2, " + operator_name() + " 3, " + operator_name() + " 4");
}

/// Found in review: twice, until a restart.
TEST_F(Management, AfterAChangeEachKeyIsReportedOnce) {
  ASSERT_EQ(apply(with_factory()).code, 0);
  const std::string status = estia_ok({"token", "status"});
  EXPECT_NE(status.find("keys.1"), std::string::npos) << status;
  EXPECT_EQ(status.find("keys.2"), std::string::npos) << status;
}

TEST_F(Management, RevocationAndHoldActOnTheNextRequestOfTheSameConnection) {
  Device device = client->make_device("/CN=device-1");
  client->enroll(device);
  const std::string serial = serial_of(device.certificate);
  const auto change = [&](const std::string& command) {
    return estia_ok({command, "--serial", serial});
  };
  OpenConnection open(installation, *server, device);
  const auto reenroll = [&] { return open.post("simplereenroll", EstClient::csr_base64(device)); };
  EXPECT_EQ(reenroll().status, 200);

  EXPECT_TRUE(change("hold").starts_with("on hold "));
  Answer answer = reenroll();
  EXPECT_EQ(answer.status, 403) << answer.body << answer.error;
  EXPECT_EQ(answer.connections, 0);
  const std::string shown = estia_ok({"cert", "show", "--serial", serial});
  EXPECT_NE(shown.find("certificateHold"), std::string::npos) << shown;
  EXPECT_NE(shown.find(read_file(device.certificate)
                           .substr(read_file(device.certificate).find("-----BEGIN"))
                           .substr(0, 200)),
            std::string::npos)
      << shown;

  EXPECT_TRUE(change("release").starts_with("released "));
  answer = reenroll();
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.connections, 0);

  EXPECT_TRUE(change("revoke").starts_with("revoked "));
  answer = reenroll();
  EXPECT_EQ(answer.status, 403) << answer.body;
  EXPECT_EQ(answer.connections, 0);
  EXPECT_EQ(open.get("cacerts").connections, 0);
  EXPECT_EQ(estia({"release", "--serial", serial}).code, 1);

  EXPECT_EQ(std::exchange(server, nullptr)->stop(), 0);
  EXPECT_EQ(installation.query("SELECT group_concat(what || ' by ' || who, ', ') FROM audit WHERE "
                               "lower(object) = lower('" +
                               serial +
                               "') AND what NOT IN ('certificate.intent', "
                               "'certificate.issued')"),
            "certificate.held by " + operator_name() + ", certificate.released by " +
                operator_name() + ", certificate.revoked by " + operator_name());
}

TEST_F(Management, AWrongDocumentChangesNothingAndClientsGoOn) {
  OpenConnection open(installation, *server);
  EXPECT_EQ(open.get("cacerts").status, 200);
  const std::string good = exported();
  std::string root_key = replaced(good, "object=estia-issuing-", "object=estia-root-");
  root_key.erase(root_key.find(";id="), root_key.find(";type=") - root_key.find(";id="));
  struct Wrong {
    std::string document;
    std::string told;
  };
  for (const Wrong& wrong :
       {Wrong{"rubbish", "ca.toml:1"},
        Wrong{replaced(good, "ca = \"issuing\"", "ca = \"other\""), "there is no 'other'"},
        Wrong{replaced(good, "name = \"est\"", "name = \"rest\""), "there is no 'est'"},
        Wrong{good + "\n[[account]]\nalias = \"est\"\nuser = \"new\"\n", "no stored password"},
        Wrong{good + "\n[[account]]\nalias = \"est\"\nuser = \"new\"\npassword_file = \"none\"\n",
              "none"},
        Wrong{replaced(good, "object=estia-issuing-", "object=nobody-"), "CA 'issuing': "},
        Wrong{root_key, "is not the key of its certificate"}}) {
    const Finished refused = apply(wrong.document);
    EXPECT_EQ(refused.code, 1) << wrong.told;
    EXPECT_NE(refused.err.find(wrong.told), std::string::npos) << wrong.told << "\n" << refused.err;
  }
  EXPECT_EQ(version(), 1U);
  EXPECT_EQ(exported(), good);
  const Answer answer = open.get("cacerts");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.connections, 0);
  Device device = client->make_device("/CN=device-1");
  EXPECT_NO_THROW(client->enroll(device));
}

TEST_F(Management, TellsItsStatusAndEndsWithAConnectionOpen) {
  const json status = json::parse(estia_ok({"status", "--json"}));
  EXPECT_EQ(status.at("pid"), server->child().pid());
  EXPECT_EQ(std::to_string(status.at("est").at("port").get<int>()), server->port());
  EXPECT_EQ(status.at("aliases"), json({"est"}));
  EXPECT_NE(installation.estia({"status", "--socket", socket()}).out.find("\nconfiguration "),
            std::string::npos);
  OpenConnection open(installation, *server);
  EXPECT_EQ(open.get("cacerts").status, 200);
  EXPECT_EQ(std::exchange(server, nullptr)->stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(socket()));
  EXPECT_EQ(estia({"status"}).code, 1);
  EXPECT_NE(exported(), "") << "from the state directory";
}

}  // namespace
}  // namespace estia::e2e
