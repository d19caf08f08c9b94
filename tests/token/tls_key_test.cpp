// SPDX-License-Identifier: Apache-2.0
// A TLS server whose key is in the token.
#include <fcntl.h>
#include <unistd.h>

#include <future>
#include <latch>
#include <list>
#include <thread>

#include "server/http/server.h"
#include "tests/support/tls_client.h"
#include "tests/token/shim_test_base.h"

namespace estia::hsm {
namespace {

/// GET of anything is "hello".
class Hello final : public http::Router {
 public:
  [[nodiscard]] http::RouteMatch match(std::string_view /*method*/,
                                       const std::vector<std::string>& /*segments*/,
                                       const http::PeerInfo& /*peer*/) const override {
    return {.handler = [](const http::Request&) {
      http::Response response;
      response.body = "hello";
      return response;
    }};
  }
};

class TokenTlsKey : public ShimTest {
 protected:
  void start(const char* kind) { serve(token_->generate(spec(kind), std::string("tls-") + kind)); }
  void serve(const crypto::PrivateKey& key) {
    server_ = std::make_unique<http::Server>(
        http::ServerConfig{.limits = limits_},
        test::make_tls_identity(key, "CN=localhost", std::chrono::hours(1), nullptr),
        std::make_shared<Hello>());
    server_->start();
  }
  /// What the client makes of a handshake that fails.
  [[nodiscard]] std::string refusal() const {
    try {
      const test::TlsClient client(server_->port());
      return "none";
    } catch (const std::runtime_error& error) {
      const std::string text = error.what();
      const std::string wanted = "tlsv1 alert internal error";
      return text.find(wanted) == std::string::npos ? text : wanted;
    }
  }
  [[nodiscard]] static bool asks(test::TlsClient& client) {
    client.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    return client.read_answer().body == "hello";
  }

  std::shared_ptr<Token> token_ = open_shim();
  http::Limits limits_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(TokenTlsKey, EveryKindShakesHandsInBothVersions) {
  for (const char* kind : {"P-256", "P-384", "RSA-2048"}) {
    SCOPED_TRACE(kind);
    start(kind);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      test::TlsClient client(server_->port(), {.version = version});
      EXPECT_TRUE(asks(client));
    }
  }
}

TEST_F(TokenTlsKey, SixtyFourHandshakesAtOnceAllSucceed) {
  limits_.handshakes_at_once = 4;
  start("P-256");
  const unsigned long before = shim_.calls("C_Sign");
  std::latch begin(64);
  std::vector<std::future<bool>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::async(std::launch::async, [&] {
      begin.arrive_and_wait();
      test::TlsClient client(server_->port());
      return asks(client);
    }));
  }
  for (auto& client : clients) {
    EXPECT_TRUE(client.get());
  }
  EXPECT_EQ(shim_.calls("C_Sign") - before, 64U);
  EXPECT_LE(shim_.most_in_flight("C_Sign"), 4U);
}

/// Without a bound of their own, handshakes would take every worker for as long as the token takes.
TEST_F(TokenTlsKey, ATokenThatHangsKeepsNobodyWaitingWhoIsConnected) {
  limits_.workers = 4;
  limits_.handshakes_at_once = 2;
  start("P-256");
  test::TlsClient connected(server_->port());
  EXPECT_TRUE(asks(connected));
  shim_.close_gate("C_Sign");
  std::vector<std::future<bool>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::async(std::launch::async, [&] {
      test::TlsClient client(server_->port());
      return asks(client);
    }));
  }
  shim_.wait_in_flight("C_Sign", 2);
  EXPECT_TRUE(asks(connected));
  shim_.open_gate("C_Sign");
  for (auto& client : clients) {
    EXPECT_TRUE(client.get());
  }
}

/// Sends a ClientHello and leaves.
void say_hello_and_leave(std::uint16_t port) {
  const crypto::SslCtxPtr context = test::make_client_context({});
  const int descriptor = test::connect_to(port);
  ASSERT_NE(::fcntl(descriptor, F_SETFL, O_NONBLOCK), -1);
  const crypto::SslPtr ssl(::SSL_new(context.get()));
  ASSERT_EQ(::SSL_set_fd(ssl.get(), descriptor), 1);
  EXPECT_LT(::SSL_connect(ssl.get()), 1);
  ::close(descriptor);
}

/// Found as a hole: a flood of these took all that the token could sign.
TEST_F(TokenTlsKey, WhoHasLeftCostsNoSignature) {
  limits_.handshakes_at_once = 1;
  start("P-256");
  const unsigned long before = shim_.calls("C_Sign");
  shim_.close_gate("C_Sign");
  auto first = std::async(std::launch::async, [&] {
    test::TlsClient client(server_->port());
    return asks(client);
  });
  shim_.wait_in_flight("C_Sign", 1);
  for (int i = 0; i < 10; ++i) {
    say_hello_and_leave(server_->port());
  }
  auto honest = std::async(std::launch::async, [&] {
    test::TlsClient client(server_->port());
    return asks(client);
  });
  while (server_->load().waiting < 11) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  shim_.open_gate("C_Sign");
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(honest.get());
  EXPECT_EQ(shim_.calls("C_Sign") - before, 2U);
}

TEST_F(TokenTlsKey, AFailureOfTheTokenEndsThatHandshakeOnly) {
  start("P-256");
  shim_.fail("C_Sign", CKR_DEVICE_ERROR);
  EXPECT_THROW(test::TlsClient(server_->port()), std::runtime_error);
  test::TlsClient client(server_->port());
  EXPECT_TRUE(asks(client));
}

/// What a client is shown of a token that signs wrongly is nothing at all.
TEST_F(TokenTlsKey, AWrongSignatureIsThrownAwayHere) {
  for (const char* kind : {"P-256", "P-384", "RSA-2048", "Ed25519"}) {
    SCOPED_TRACE(kind);
    static_cast<void>(token_->generate(spec(kind), kind));
    const crypto::PrivateKey checked = token_->key(token_->uri_of(kind), SignatureCheck::ours);
    EXPECT_TRUE(signs(checked));
    shim_.corrupt_signatures(true);
    EXPECT_EQ(test::refusal([&] { static_cast<void>(signs(checked)); }),
              "token token.wrong_signature");
    shim_.corrupt_signatures(false);
    EXPECT_TRUE(signs(checked));
  }
}

TEST_F(TokenTlsKey, AKeyWhoseSignaturesAreCheckedShakesHandsInBothVersions) {
  for (const char* kind : {"P-256", "P-384", "RSA-2048"}) {
    SCOPED_TRACE(kind);
    static_cast<void>(token_->generate(spec(kind), kind));
    serve(token_->key(token_->uri_of(kind), SignatureCheck::ours));
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      test::TlsClient client(server_->port(), {.version = version});
      EXPECT_TRUE(asks(client));
    }
    shim_.corrupt_signatures(true);
    EXPECT_EQ(refusal(), "tlsv1 alert internal error") << "not a signature that it cannot verify";
    shim_.corrupt_signatures(false);
  }
}

}  // namespace
}  // namespace estia::hsm
