// SPDX-License-Identifier: Apache-2.0
// The line "http.request": what it says about whether an answer left, and whose failure it was.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <latch>
#include <stdexcept>

#include "crypto/base/error.h"
#include "crypto/base/secure_bytes.h"
#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

constexpr int kMostDescriptors = 1024;
constexpr int kLimitMillis = 20'000;

/// The end of this connection that the server, in this process, holds.
int server_end_of(test::TlsClient& client) {
  sockaddr_in own{};
  socklen_t size = sizeof own;
  ::getsockname(SSL_get_fd(client.ssl()), reinterpret_cast<sockaddr*>(&own), &size);
  for (int descriptor = 0; descriptor < kMostDescriptors; ++descriptor) {
    sockaddr_in peer{};
    size = sizeof peer;
    if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
        peer.sin_family == AF_INET && peer.sin_port == own.sin_port) {
      return descriptor;
    }
  }
  throw std::runtime_error("the server does not hold the connection");
}

/// RST instead of close_notify and FIN.
void reset(std::unique_ptr<test::TlsClient> client) {
  const linger none{1, 0};
  ::setsockopt(SSL_get_fd(client->ssl()), SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

class RequestLog : public ServerTest {
 protected:
  /// The one line that holds `text`.
  [[nodiscard]] std::string line_with(const std::string& text) {
    const std::string log = logged();
    const std::size_t at = log.find(text);
    if (at == std::string::npos) {
      return "no such line in: " + log;
    }
    const std::size_t begin = log.rfind('\n', at) + 1;  // npos + 1 is 0
    return log.substr(begin, log.find('\n', at) - begin);
  }
};

TEST_F(RequestLog, AShortAnswerToAClientThatResetIsNotSent) {
  router_->get("/short", [gate = gate_](const Request&) {
    gate->pass();
    return text("short");
  });
  start();
  auto client = std::make_unique<test::TlsClient>(port());
  client->send(get_request("/short"));
  gate_->entered.wait();
  pollfd gone{server_end_of(*client), 0, 0};  // POLLERR and POLLHUP need no asking
  reset(std::move(client));
  ASSERT_EQ(::poll(&gone, 1, kLimitMillis), 1);
  gate_->release.count_down();
  EXPECT_NE(line_with("path=/short").find("sent=no"), std::string::npos) << logged();
}

/// Its certificate is on record, and nobody has its key.
TEST_F(RequestLog, AKeyThatNobodyGotIsSaid) {
  open_secure_heap(std::size_t{1} << 20U);
  const auto key = [] {
    Response response;
    response.secret_body = std::make_shared<const SecureBytes>(std::size_t{32});
    response.holds_key = true;
    return response;
  };
  router_->get("/gone", [gate = gate_, key](const Request&) {
    gate->pass();
    return key();
  });
  router_->get("/here", [key](const Request&) { return key(); });
  start();
  EXPECT_EQ(status_of(get_request("/here")), 200);
  auto client = std::make_unique<test::TlsClient>(port());
  client->send(get_request("/gone"));
  gate_->entered.wait();
  pollfd gone{server_end_of(*client), 0, 0};
  reset(std::move(client));
  ASSERT_EQ(::poll(&gone, 1, kLimitMillis), 1);
  gate_->release.count_down();
  const std::string line = line_with("path=/gone");
  EXPECT_NE(line.find("sent=no"), std::string::npos) << line;
  const std::size_t at = line.find("request=");
  const std::string request = line.substr(at, line.find(' ', at) - at);
  const std::string told = line_with("http.key_not_sent");
  EXPECT_NE(told.find(request), std::string::npos) << logged();
  EXPECT_NE(line_with("path=/here").find("sent=yes"), std::string::npos) << logged();
}

TEST_F(RequestLog, AnAnswerThatTlsTookIsSent) {
  start();
  EXPECT_EQ(status_of(get_request("/hello")), 200);
  EXPECT_NE(line_with("path=/hello").find("status=200 id=- detail=- sent=yes"), std::string::npos)
      << logged();
}

TEST_F(RequestLog, WhatAStrangerCanCauseIsNoErrorOfOurs) {
  start();
  EXPECT_EQ(status_of("GET /hello HTTP/3.0\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(status_of("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"), 501);
  EXPECT_EQ(status_of("GET /hello HTTP/1.1\r\n\r\n"), 400);
  const std::string log = logged();
  EXPECT_EQ(log.find("level=error"), std::string::npos) << log;
  EXPECT_NE(log.find("status=505"), std::string::npos) << log;
  EXPECT_NE(log.find("status=501"), std::string::npos) << log;
}

TEST_F(RequestLog, AFailureOfOursIsAnError) {
  router_->get("/defect", [](const Request&) -> Response { throw std::runtime_error("defect"); });
  router_->get("/busy", [](const Request&) -> Response {
    throw Error(ErrorCode::token, "token.gone", "the token is gone");
  });
  start();
  EXPECT_EQ(status_of(get_request("/defect")), 500);
  EXPECT_EQ(status_of(get_request("/busy")), 503);
  EXPECT_NE(line_with("path=/defect").find("level=error"), std::string::npos) << logged();
  EXPECT_NE(line_with("path=/busy").find("level=error"), std::string::npos) << logged();
}

}  // namespace
}  // namespace estia::http
