// SPDX-License-Identifier: Apache-2.0
// SIGTERM while a request is half sent: it is answered, or cut when the limit has passed.
#include <gtest/gtest.h>
#include <signal.h>

#include "crypto/base/file.h"
#include "crypto/keys/private_key.h"
#include "tests/e2e/support/estiad_process.h"
#include "tests/e2e/support/raw_enrol.h"
#include "tests/support/certificates.h"
#include "tests/support/tls_client.h"

namespace estia::e2e {
namespace {

class Drain : public testing::Test {
 protected:
  Drain() { ::signal(SIGPIPE, SIG_IGN); }  // NOLINT(cert-err33-c)

  /// Sends the head and half of the body. The server has taken the request up when this returns:
  /// 100 (Continue) has come.
  std::string send_half(test::TlsClient& client) const {
    const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
    RawEnrol request;
    request.account = ra_account(installation);
    request.fields = "Expect: 100-continue\r\n";
    request.body = base64_encode(test::make_csr_der(key, "CN=device-1"), 64);
    client.send(request.head());
    EXPECT_EQ(client.read_answer().status, 100);
    client.send(request.body.substr(0, request.body.size() / 2));
    return request.body.substr(request.body.size() / 2);
  }
  /// A connection that has been served and waits for its next request: it ends when the drain has
  /// begun, after the listener has closed.
  static std::unique_ptr<test::TlsClient> idle_connection(std::uint16_t port) {
    auto idle = std::make_unique<test::TlsClient>(port);
    idle->send("GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(idle->read_answer().status, 200);
    return idle;
  }
  static std::uint16_t port_of(const EstiadProcess& server) {
    return static_cast<std::uint16_t>(std::stoul(server.port()));
  }
  [[nodiscard]] std::string last_stop() const {
    return installation.query(
        "SELECT outcome FROM audit WHERE what = 'daemon.stopped' ORDER BY sequence DESC LIMIT 1");
  }

  const Installation installation;
};

TEST_F(Drain, AHalfSentRequestStillGetsItsCertificate) {
  EstiadProcess server(installation);
  const std::uint16_t port = port_of(server);
  const auto idle = idle_connection(port);
  test::TlsClient busy(port);
  const std::string rest = send_half(busy);
  server.child().signal(SIGTERM);
  EXPECT_TRUE(idle->ended());
  EXPECT_THROW(static_cast<void>(test::connect_to(port)), std::runtime_error)
      << "new connections are refused";
  busy.send(rest);
  const test::HttpAnswer answer = busy.read_answer();
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.fields.at("Connection"), "Close");
  EXPECT_TRUE(busy.ended());
  EXPECT_EQ(server.child().wait(std::chrono::seconds(40)), 0) << server.err();
  EXPECT_EQ(last_stop(), "ok");
  EXPECT_EQ(installation.query("SELECT state FROM certificate WHERE username = 'device-1'"),
            "issued");
}

TEST_F(Drain, ARequestThatNeverCompletesIsCutAtTheLimit) {
  const std::filesystem::path file = installation.state() / "estia.toml";
  replace_file(file, read_file(file) + "\n[limits]\ndrain = \"200ms\"\n", FileMode::secret);
  EstiadProcess server(installation);
  test::TlsClient stuck(port_of(server));
  static_cast<void>(send_half(stuck));
  server.child().signal(SIGTERM);
  EXPECT_EQ(server.child().wait(std::chrono::seconds(40)), 1)
      << server.err();  // docs/configuration.md
  EXPECT_EQ(last_stop(), "cut");
  EXPECT_NE(server.err().find("event=daemon.stopped outcome=cut"), std::string::npos)
      << server.err();
  EXPECT_EQ(installation.query("SELECT count(*) FROM certificate WHERE username = 'device-1'"),
            "0");
  EstiadProcess again(installation);  // nothing is left behind that keeps it from starting
  EXPECT_EQ(again.stop(), 0) << again.err();
}

}  // namespace
}  // namespace estia::e2e
