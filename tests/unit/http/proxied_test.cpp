// SPDX-License-Identifier: Apache-2.0
// Clients behind a load balancer that speaks the PROXY protocol.
#include <gtest/gtest.h>
#include <unistd.h>

#include <list>
#include <thread>

#include "tests/support/proxy_bytes.h"
#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

using std::chrono::milliseconds;

constexpr const char* kBalancer = "127.0.0.9";

class Proxied : public ServerTest {
 protected:
  Proxied() {
    config_.proxies = Networks({kBalancer});
    router_->get("/who", [](const Request& request) { return text(request.peer.address); });
  }
  [[nodiscard]] std::string who(const test::TlsOffer& offer) const {
    test::TlsClient client(port(), offer);
    client.send(get_request("/who"));
    return client.read_answer().body;
  }
  [[nodiscard]] bool refused(const test::TlsOffer& offer) const {
    try {
      return who(offer).empty();
    } catch (const std::runtime_error&) {
      return true;
    }
  }
};

TEST_F(Proxied, TheClientIsWhomTheBalancerNames) {
  start();
  EXPECT_EQ(who({.preamble = test::proxy_for("203.0.113.9"), .from = kBalancer}), "203.0.113.9");
  EXPECT_EQ(who({.preamble = test::proxy_for6("2001:db8::9"), .from = kBalancer}), "2001:db8::9");
  EXPECT_EQ(who({.preamble = test::proxy_for6("::ffff:203.0.113.9"), .from = kBalancer}),
            "203.0.113.9");
  EXPECT_EQ(who({.preamble = test::proxy_header('\x20', '\x00', ""), .from = kBalancer}), kBalancer)
      << "it speaks for itself";
}

TEST_F(Proxied, NobodyElseMayNameOneAndABalancerMust) {
  start();
  EXPECT_TRUE(refused({.preamble = test::proxy_for("203.0.113.9")})) << "from 127.0.0.1";
  EXPECT_EQ(who({}), "127.0.0.1");
  EXPECT_TRUE(refused({.from = kBalancer})) << "TLS at once";
  EXPECT_TRUE(refused({.preamble = "PROXY TCP4 1.2.3.4 1.2.3.5 1 443\r\n", .from = kBalancer}));
  EXPECT_TRUE(refused(
      {.preamble = test::proxy_header('\x21', '\x12', std::string(12, 'x')), .from = kBalancer}));
  const std::string log = logged();
  EXPECT_NE(log.find("event=proxy.refused peer=127.0.0.9"), std::string::npos) << log;
}

TEST_F(Proxied, WithoutAListNobodyIsABalancer) {
  config_.proxies = {};
  start();
  EXPECT_TRUE(refused({.preamble = test::proxy_for("203.0.113.9"), .from = kBalancer}));
  EXPECT_EQ(who({.from = kBalancer}), kBalancer);
}

TEST_F(Proxied, LimitsCountForTheClientAndNotForTheBalancer) {
  limits_.per_address = 2;
  start();
  const test::TlsOffer one{.preamble = test::proxy_for("203.0.113.9"), .from = kBalancer};
  const test::TlsOffer other{.preamble = test::proxy_for("203.0.113.10"), .from = kBalancer};
  std::list<test::TlsClient> open;
  open.emplace_back(port(), one);
  open.emplace_back(port(), one);
  open.emplace_back(port(), other);
  EXPECT_TRUE(refused(one)) << "a third of the same client";
  EXPECT_EQ(who(other), "203.0.113.10");
  open.clear();
  for (int i = 0; i < 5; ++i) {  // none of them is counted for ever
    while (server_->load().connections > 0) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    EXPECT_EQ(who(one), "203.0.113.9");
  }
}

TEST_F(Proxied, TheHeaderMayComeByteByByteAndTheHandshakesTimeRuns) {
  limits_.handshake = milliseconds(300);
  start();
  const int slow = test::connect_to(port(), 0, kBalancer);
  ASSERT_EQ(::write(slow, "\r\n\r", 3), 3);
  char byte = 0;
  EXPECT_LE(::read(slow, &byte, 1), 0) << "closed by the server";
  ::close(slow);
  const std::string header = test::proxy_for("203.0.113.9", "\x04\x00\x01x");
  limits_.handshake = milliseconds(20'000);
  start();
  EXPECT_EQ(who({.preamble = header, .preamble_step = 1, .from = kBalancer}), "203.0.113.9");
}

}  // namespace
}  // namespace estia::http
