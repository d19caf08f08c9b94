// SPDX-License-Identifier: Apache-2.0
// Behind a load balancer that speaks the PROXY protocol; TLS resumption. Both are switches of the
// process configuration.
#include <gtest/gtest.h>

#include <memory>

#include "crypto/base/file.h"
#include "tests/e2e/support/est_client.h"
#include "tests/support/proxy_bytes.h"
#include "tests/support/tls_client.h"

namespace estia::e2e {
namespace {

class ListenerSwitches : public testing::Test {
 protected:
  void start(const std::string& lines) {
    const auto file = installation.state() / "estia.toml";
    std::string text = read_file(file);
    const std::string section = "[listener.est]\n";
    replace_file(file, text.replace(text.find(section), section.size(), section + lines),
                 FileMode::readable);
    server = std::make_unique<EstiadProcess>(installation);
  }
  [[nodiscard]] std::uint16_t port() const {
    return static_cast<std::uint16_t>(std::stoi(server->port()));
  }
  [[nodiscard]] static int status(test::TlsClient& client) {
    client.send("GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return client.read_answer().status;
  }

  const Installation installation;
  std::unique_ptr<EstiadProcess> server;
};

TEST_F(ListenerSwitches, AListedBalancerNamesTheClient) {
  start("proxies = [\"127.0.0.9\", \"2001:db8::/32\"]\n");
  test::TlsClient client(port(), {.preamble = test::proxy_for("203.0.113.9"), .from = "127.0.0.9"});
  EXPECT_EQ(status(client), 200);
  EXPECT_THROW(test::TlsClient(port(), {.preamble = test::proxy_for("203.0.113.9")}),
               std::runtime_error);
  EXPECT_EQ(server->stop(), 0);
  EXPECT_NE(server->err().find("peer=203.0.113.9"), std::string::npos) << server->err();
}

TEST_F(ListenerSwitches, SessionsAreTakenUpIfWantedAndForgottenWithTheConfiguration) {
  start("resumption = true\n");
  test::TlsClient first(port());
  EXPECT_EQ(status(first), 200);
  SSL_SESSION* const session = ::SSL_get1_session(first.ssl());
  test::TlsClient second(port(), {.session = session});
  EXPECT_EQ(status(second), 200);
  EXPECT_EQ(::SSL_session_reused(second.ssl()), 1);
  SSL_SESSION* const next = ::SSL_get1_session(second.ssl());
  const auto document = installation.directory() / "same.toml";
  const std::string state = installation.state().string();
  replace_file(document,
               installation.estia({"config", "export", "--state", state}).out + "# changed\n",
               FileMode::readable);
  const Finished applied =
      installation.estia({"apply", document.string(), "--state", state, "--yes"});
  EXPECT_EQ(applied.code, 0) << applied.err;
  test::TlsClient third(port(), {.session = next});
  EXPECT_EQ(status(third), 200);
  EXPECT_EQ(::SSL_session_reused(third.ssl()), 0);
  ::SSL_SESSION_free(session);
  ::SSL_SESSION_free(next);
  EXPECT_EQ(server->stop(), 0);
}

}  // namespace
}  // namespace estia::e2e
