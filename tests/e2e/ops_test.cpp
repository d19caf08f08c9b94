// SPDX-License-Identifier: Apache-2.0
// Health, readiness and metrics of a running estiad, by curl.
#include <gtest/gtest.h>

#include <fstream>
#include <memory>

#include "tests/e2e/support/est_client.h"

namespace estia::e2e {
namespace {

class Ops : public testing::Test {
 protected:
  explicit Ops(const std::string& more = "") {
    std::ofstream(installation.state() / "estia.toml", std::ios::app)
        << "\n[listener.ops]\nport = 0\n"
        << more;
    server = std::make_unique<EstiadProcess>(installation);
    client = std::make_unique<EstClient>(installation, *server);
    address = server->ops_address();
  }

  /// Body and status of a page.
  [[nodiscard]] std::pair<std::string, std::string> page(
      const std::string& path, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{
        "curl", "-sS", "--max-time", "20", "-w", "\n%{http_code}", "http://" + address + path};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const std::string out = run(arguments, installation.directory()).out;
    const std::size_t at = out.rfind('\n');
    return {out.substr(0, at), out.substr(at + 1)};
  }

  const Installation installation;
  std::unique_ptr<EstiadProcess> server;
  std::unique_ptr<EstClient> client;
  std::string address;
};

TEST_F(Ops, TellsThatItLivesAndIsReady) {
  EXPECT_EQ(page("/healthz"), (std::pair<std::string, std::string>{"alive\n", "200"}));
  const auto [body, status] = page("/readyz");
  EXPECT_EQ(status, "200");
  EXPECT_EQ(body,
            "ready\nconfiguration ok\ntls ok\nlistener ok\nstore ok\ntoken ok\nkeys ok\nstop ok\n");
}

TEST_F(Ops, CountsWhatClientsDid) {
  Device device = client->make_device("/CN=counted-1");
  client->enroll(device);
  static_cast<void>(
      client->post("simpleenroll", EstClient::csr_base64(device), client->as_user("ra", "wrong")));
  static_cast<void>(client->request("no-such-operation"));
  const auto [body, status] = page("/metrics");
  EXPECT_EQ(status, "200");
  for (
      const char* line :
      {R"(estia_requests_total{operation="simpleenroll",refusal="",status="200"} 1)",
       R"(estia_requests_total{operation="simpleenroll",refusal="auth.wrong_password",status="401"} 1)",
       R"(estia_requests_total{operation="none",refusal="route.unknown",status="404"} 1)",
       R"(estia_tls_handshakes_total{result="ok"} 3)", "estia_ready 1",
       R"(estia_token_present{token="main"} 1)", R"(estia_token_sessions_most{token="main"} )",
       R"(estia_token_session_waits_total{token="main"} )",
       R"(estia_token_session_timeouts_total{token="main"} )",
       R"(estia_token_session_wait_seconds_total{token="main"} )",
       R"(estia_token_sign_seconds_count{token="main"} )", R"(estia_build_info{version=")",
       "estia_store_commits_total ", R"(estia_ca_certificate_not_after_seconds{ca="issuing"} )"}) {
    EXPECT_NE(body.find(line), std::string::npos) << line << "\n" << body;
  }
  EXPECT_EQ(body.find("counted-1"), std::string::npos) << "nothing of a client's";
}

TEST_F(Ops, HasThesePagesAndNoOthers) {
  EXPECT_EQ(page("/").second, "404");
  EXPECT_EQ(page("/.well-known/est/cacerts").second, "404");
  EXPECT_EQ(page("/metrics", {"-X", "POST", "-d", "x"}).second, "405");
}

class OpsAtTheEnd : public Ops {
 protected:
  OpsAtTheEnd() : Ops("[limits]\ndrain_notice = \"10s\"\n") {}
};

/// A load balancer sees it first; devices are served until the notice is over.
TEST_F(OpsAtTheEnd, ReadinessIsRedBeforeTheListenerCloses) {
  server->child().signal(SIGTERM);
  std::pair<std::string, std::string> seen;
  for (int i = 0; i < 100 && seen.second != "503"; ++i) {
    seen = page("/readyz");
  }
  EXPECT_EQ(seen.second, "503");
  EXPECT_NE(seen.first.find("not ready\n"), std::string::npos) << seen.first;
  EXPECT_NE(seen.first.find("stop stopping\n"), std::string::npos) << seen.first;
  EXPECT_EQ(client->request("cacerts").status, 200);
  EXPECT_EQ(server->child().wait(std::chrono::seconds(60)), 0);
}

}  // namespace
}  // namespace estia::e2e
