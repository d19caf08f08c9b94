// SPDX-License-Identifier: Apache-2.0
// Changes of the running estiad through its management socket, while clients are connected. Nothing
// here restarts it, but where a test says so.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "crypto/base/file.h"
#include "tests/e2e/support/est_client.h"
#include "tests/e2e/support/open_connection.h"

namespace estia::e2e {
namespace {

using nlohmann::json;

constexpr const char* kPassword = "line-7-password-0123456789abcdef";
constexpr const char* kFactory = R"(
[[alias]]
name = "factory"
ca = "issuing"
end_entity_profile = "device"
certificate_profile = "device"
authenticators = ["basic"]
ra_scope = "CN=made-*"

[[account]]
alias = "factory"
user = "line-7"
)";

/// An estiad that runs, and what operators do beside it.
class Management : public testing::Test {
 protected:
  Management() { start(); }
  ~Management() override {
    if (server) {
      EXPECT_EQ(server->stop(), 0);
    }
  }

  void start() {
    server = std::make_unique<EstiadProcess>(installation);
    client = std::make_unique<EstClient>(installation, *server);
  }
  [[nodiscard]] std::string state() const { return installation.state().string(); }
  [[nodiscard]] std::string socket() const { return state() + "/management/socket"; }
  [[nodiscard]] std::string estia_ok(const std::vector<std::string>& arguments) const {
    const Finished finished = installation.estia(arguments);
    EXPECT_EQ(finished.code, 0) << finished.out << finished.err;
    return finished.out;
  }
  [[nodiscard]] Finished apply(const std::string& document) const {
    const std::filesystem::path file = installation.directory() / "ca.toml";
    replace_file(file, document, FileMode::secret);
    return installation.estia({"apply", file.string(), "--state", state()});
  }
  [[nodiscard]] std::string exported() const {
    return estia_ok({"config", "export", "--state", state()});
  }
  [[nodiscard]] std::string with_factory() const {
    replace_file(installation.directory() / "line-7.password", std::string(kPassword) + "\n",
                 FileMode::secret);
    return exported() + kFactory + "password_file = \"line-7.password\"\n";
  }
  /// What curl gets on the management socket, perhaps run as another user: status and JSON.
  [[nodiscard]] std::pair<int, json> manage(const std::string& method, const std::string& path,
                                            const json& body = nullptr,
                                            std::vector<std::string> command = {}) const {
    command.insert(command.end(), {"curl", "-q", "-sS", "--unix-socket", socket(), "--max-time",
                                   "40", "-X", method, "-w", "\n%{http_code}"});
    if (!body.is_null()) {
      const std::filesystem::path file = client->new_file(".json");
      write_new_file(file, body.dump(), FileMode::secret);
      command.insert(command.end(), {"-H", "Content-Type: application/json", "--data-binary",
                                     "@" + file.string()});
    }
    command.push_back("http://localhost/v1" + path);
    const std::string out = run_ok(command, installation.directory());
    const std::size_t end = out.rfind('\n');
    return {std::stoi(out.substr(end + 1)), json::parse(out.substr(0, end))};
  }
  [[nodiscard]] std::uint64_t version() const {
    return manage("GET", "/status").second.at("configuration");
  }
  [[nodiscard]] std::string serial_of(const Device& device) const {
    const std::string text =
        client->openssl({"x509", "-in", device.certificate.string(), "-noout", "-serial"});
    return text.substr(7, text.find('\n') - 7);  // "serial=..."
  }
  [[nodiscard]] Answer enroll_at_factory(const std::string& subject) const {
    return client->post("factory/simpleenroll", EstClient::csr_base64(client->make_device(subject)),
                        client->as_user("line-7", kPassword));
  }
  static std::string operator_name() { return "operator uid " + std::to_string(::getuid()); }

  const Installation installation;
  std::unique_ptr<EstiadProcess> server;
  std::unique_ptr<EstClient> client;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  EXPECT_NE(text.find(from), std::string::npos) << from;
  return text.replace(text.find(from), from.size(), to);
}

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

TEST_F(Management, RevocationAndHoldActOnTheNextRequestOfTheSameConnection) {
  Device device = client->make_device("/CN=device-1");
  client->enroll(device);
  const std::string serial = serial_of(device);
  const std::vector<std::string> which{"--state", state(), "--serial", serial};
  const auto change = [&](const std::string& command) {
    std::vector<std::string> arguments{command};
    arguments.insert(arguments.end(), which.begin(), which.end());
    return estia_ok(arguments);
  };
  OpenConnection open(installation, *server, device);
  const auto reenroll = [&] { return open.post("simplereenroll", EstClient::csr_base64(device)); };
  EXPECT_EQ(reenroll().status, 200);

  EXPECT_TRUE(change("hold").starts_with("on hold "));
  Answer answer = reenroll();
  EXPECT_EQ(answer.status, 403) << answer.body << answer.error;
  EXPECT_EQ(answer.connections, 0);
  const std::string shown = estia_ok({"cert", "show", which[0], which[1], which[2], which[3]});
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
  EXPECT_EQ(installation.estia({"release", which[0], which[1], which[2], which[3]}).code, 1);

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

TEST_F(Management, OfSeveralChangesOfOneVersionOneWins) {
  const std::string good = exported();
  json body{{"document", replaced(good, "validity = \"365d\"", "validity = \"30d\"")},
            {"replaces", 1}};
  std::vector<std::unique_ptr<Child>> rivals;
  std::vector<std::filesystem::path> outs;
  for (int i = 0; i < 6; ++i) {
    body["document"] =
        replaced(good, "validity = \"365d\"", "validity = \"" + std::to_string(30 + i) + "d\"");
    const std::filesystem::path file = client->new_file(".json");
    write_new_file(file, body.dump(), FileMode::secret);
    outs.push_back(client->new_file(".out"));
    rivals.push_back(std::make_unique<Child>(
        Child::Command{.arguments = {"curl", "-q", "-sS", "--unix-socket", socket(), "--max-time",
                                     "40", "-X", "PUT", "-o", "/dev/null", "-w", "%{http_code}",
                                     "-H", "Content-Type: application/json", "--data-binary",
                                     "@" + file.string(), "http://localhost/v1/configuration"},
                       .out = outs.back(),
                       .err = client->new_file(".err")}));
  }
  std::multiset<std::string> statuses;
  for (std::size_t i = 0; i < rivals.size(); ++i) {
    ASSERT_EQ(rivals[i]->wait(std::chrono::minutes(1)), 0);
    statuses.insert(read_file(outs[i]));
  }
  EXPECT_EQ(statuses, (std::multiset<std::string>{"200", "409", "409", "409", "409", "409"}));
  EXPECT_EQ(version(), 2U);
  const auto [status, answer] = manage("PUT", "/configuration", body);
  EXPECT_EQ(status, 409);
  EXPECT_EQ(answer.at("id"), "config.version");
}

TEST_F(Management, WhatWasAppliedSurvivesKill9) {
  ASSERT_EQ(apply(with_factory()).code, 0);
  server->child().signal(SIGKILL);
  EXPECT_EQ(server->child().wait(std::chrono::seconds(20)), -SIGKILL);
  EXPECT_TRUE(std::filesystem::is_socket(socket())) << "left behind";
  start();
  EXPECT_EQ(version(), 2U);
  EXPECT_EQ(enroll_at_factory("/CN=made-1").status, 200);
}

TEST_F(Management, TellsItsStatusAndEndsWithAConnectionOpen) {
  const json status = json::parse(estia_ok({"status", "--json", "--state", state()}));
  EXPECT_EQ(status.at("pid"), server->child().pid());
  EXPECT_EQ(std::to_string(status.at("est").at("port").get<int>()), server->port());
  EXPECT_EQ(status.at("aliases"), json({"est"}));
  EXPECT_NE(estia_ok({"status", "--socket", socket()}).find("\nconfiguration "), std::string::npos);
  OpenConnection open(installation, *server);
  EXPECT_EQ(open.get("cacerts").status, 200);
  EXPECT_EQ(std::exchange(server, nullptr)->stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(socket()));
  EXPECT_EQ(installation.estia({"status", "--state", state()}).code, 1);
  EXPECT_NE(exported(), "") << "from the state directory";
}

/// Where listed users can reach the socket: a directory whose group is theirs.
class OtherUsers : public testing::Test {
 protected:
  static constexpr unsigned kNobody = 65534;

  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "only root can be another user";
    }
    const std::filesystem::path directory = installation.directory() / "run";
    ASSERT_EQ(::chmod(installation.directory().c_str(), 0711), 0);
    ASSERT_EQ(::mkdir(directory.c_str(), 0750), 0);
    ASSERT_EQ(::chown(directory.c_str(), 0, kNobody), 0);
    ASSERT_EQ(::chmod(directory.c_str(), 02750), 0);  // the socket gets the directory's group
    socket = directory / "socket";
  }
  void start(const std::string& uids) {
    const std::filesystem::path file = installation.state() / "estia.toml";
    std::string text = read_file(file);
    text = replaced(text, "socket = \"management/socket\"", "socket = \"" + socket.string() + "\"");
    text = replaced(text, "uids = []", "uids = " + uids);
    replace_file(file, text, FileMode::secret);
    server = std::make_unique<EstiadProcess>(installation);
  }
  [[nodiscard]] std::string as_nobody(const std::string& path) const {
    return run_ok({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "curl", "-q",
                   "-sS", "--max-time", "40", "--unix-socket", socket.string(), "-w",
                   "\n%{http_code}", "http://localhost/v1" + path},
                  installation.directory());
  }

  const Installation installation;
  std::filesystem::path socket;
  std::unique_ptr<EstiadProcess> server;
};

TEST_F(OtherUsers, OneThatIsNotListedIsRefused) {
  start("[1000]");
  const std::string answer = as_nobody("/status");
  EXPECT_TRUE(answer.ends_with("\n403")) << answer;
  EXPECT_NE(answer.find("\"api.peer_uid\""), std::string::npos) << answer;
  EXPECT_TRUE(as_nobody("/configuration").ends_with("\n403"));
  EXPECT_EQ(installation.estia({"status", "--socket", socket.string()}).code, 0)
      << "the daemon's own user";
  EXPECT_NE(server->err().find("peer=unix:65534"), std::string::npos) << server->err();
  EXPECT_EQ(server->stop(), 0);
}

TEST_F(OtherUsers, OneThatIsListedIsAnsweredAndNamedInTheAuditTrail) {
  start("[65534]");
  const std::string answer = as_nobody("/status");
  EXPECT_TRUE(answer.ends_with("\n200")) << answer;
  const std::string serial = "01";
  EXPECT_TRUE(as_nobody("/certificates/" + serial).ends_with("\n404"));
  const std::string server_serial =
      run_ok({"openssl", "x509", "-in", (installation.state() / "tls/server.pem").string(),
              "-noout", "-serial"},
             installation.directory());
  const std::string known = server_serial.substr(7, server_serial.find('\n') - 7);
  const std::string held = run_ok(
      {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "curl", "-q", "-sS",
       "--unix-socket", socket.string(), "-X", "POST", "-H", "Content-Type: application/json", "-d",
       "{}", "-w", "\n%{http_code}", "http://localhost/v1/certificates/" + known + "/hold"},
      installation.directory());
  EXPECT_TRUE(held.ends_with("\n200")) << held;
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(installation.query("SELECT who FROM audit WHERE what = 'certificate.held'"),
            "operator uid 65534");
}

TEST(ManagementListener, CanBeOffAndThenTheOperatorIsTold) {
  const Installation installation;
  const std::filesystem::path file = installation.state() / "estia.toml";
  replace_file(file,
               replaced(read_file(file), "[listener.management]\n",
                        "[listener.management]\nenabled = false\n"),
               FileMode::secret);
  EstiadProcess server(installation);
  EXPECT_FALSE(std::filesystem::exists(installation.state() / "management"));
  const Finished refused =
      installation.estia({"config", "export", "--state", installation.state().string()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("estiad is running"), std::string::npos) << refused.err;
  EXPECT_EQ(server.stop(), 0);
}

TEST(ManagementListener, ADirectoryThatOthersMayEnterStopsTheStart) {
  const Installation installation;
  const std::filesystem::path directory = installation.state() / "management";
  std::filesystem::create_directory(directory);
  ASSERT_EQ(::chmod(directory.c_str(), 0755), 0);
  const Finished refused = run_estiad(installation, {"--port", "0"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("http.socket_directory"), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace estia::e2e
