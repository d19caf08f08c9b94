// SPDX-License-Identifier: Apache-2.0
// Another certificate for a listener that runs.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "crypto/base/error.h"
#include "server/http/tls_self_check.h"
#include "tests/support/refusal.h"
#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

const TlsIdentity& other_identity() {
  static const TlsIdentity identity = test::make_tls_identity("CN=renewed");
  return identity;
}

std::string shown(const test::TlsClient& client) {
  return crypto::Certificate::from_openssl(::SSL_get0_peer_certificate(client.ssl()))
      .subject()
      .text();
}

class TlsReloadTest : public ServerTest {
 protected:
  void adopt(const TlsIdentity& identity) { server_->adopt(server_->prepare(identity)); }
};

TEST_F(TlsReloadTest, NewConnectionsSeeItAndOldOnesGoOn) {
  start();
  test::TlsClient old(port());
  adopt(other_identity());
  const test::TlsClient fresh(port());
  EXPECT_EQ(shown(old), "CN=localhost");
  EXPECT_EQ(shown(fresh), "CN=renewed");
  old.send(get_request("/hello"));
  EXPECT_EQ(old.read_answer().body, "hello");
}

TEST_F(TlsReloadTest, WhatDoesNotWorkIsRefusedAndTheOldOneStays) {
  start();
  const TlsIdentity mixed{other_identity().key, server_identity().chain};
  EXPECT_EQ(test::refusal([&] { adopt(mixed); }), "config tls.identity");
  EXPECT_EQ(test::refusal([&] { adopt({other_identity().key, {}}); }), "config tls.identity");
  EXPECT_EQ(shown(test::TlsClient(port())), "CN=localhost");
}

/// The context would take it; a handshake tells.
TEST_F(TlsReloadTest, TheSelfCheckKnowsAnotherCertificate) {
  const TlsContext context(server_identity(), Resumption::off);
  EXPECT_EQ(test::refusal([&] { check_handshakes(context, other_identity().chain.front()); }),
            "config tls.self_check");
  EXPECT_EQ(test::refusal([&] { check_handshakes(context, server_identity().chain.front()); }),
            "none");
}

TEST_F(TlsReloadTest, NoHandshakeFailsWhileItChanges) {
  start();
  std::atomic<bool> done{false};
  std::atomic<int> served{0};
  std::thread clients([&] {
    while (!done) {
      served += status_of(get_request("/hello")) == 200 ? 1 : 1000;
    }
  });
  for (int i = 0; i < 20; ++i) {
    adopt(i % 2 == 0 ? other_identity() : server_identity());
  }
  while (served == 0) {
    std::this_thread::yield();
  }
  done = true;
  clients.join();
  EXPECT_LT(served, 1000);
}

}  // namespace
}  // namespace estia::http
