// SPDX-License-Identifier: Apache-2.0
// Who is answered on the management socket.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/support/management_fixture.h"

namespace estia::e2e {
namespace {

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
