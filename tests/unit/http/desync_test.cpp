// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

/// What two HTTP readers could take for different requests:
/// refused, the connection closed, and the smuggled request never dispatched.
class Desync : public ServerTest {
 protected:
  Desync() {
    router_->get("/smuggled", [this](const Request&) {
      ++smuggled_;
      return text("smuggled");
    });
    start();
  }

  void expect_refused(const std::string& fields, const std::string& body, int status) {
    SCOPED_TRACE(fields);
    test::TlsClient client(port());
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body +
                get_request("/smuggled"));
    const test::HttpAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.fields.at("Connection"), "Close");
    EXPECT_EQ(answer.fields.at("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_FALSE(answer.body.empty());
    EXPECT_TRUE(client.ended());
  }

  std::atomic<int> smuggled_{0};
};

TEST_F(Desync, AmbiguousLengthsAreRefused) {
  expect_refused("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", 400);
  expect_refused("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n", 400);
  expect_refused("Content-Length: 0\r\nContent-Length: 5\r\n", "", 400);
  expect_refused("Content-Length: 3\r\nContent-Length: 3\r\n", "abc", 400);
  expect_refused("Transfer-Encoding : chunked\r\nContent-Length: 0\r\n", "", 400);
  expect_refused("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n", 501);
  expect_refused("Transfer-Encoding: xchunked\r\n", "", 501);
  expect_refused("Transfer-Encoding: =?us-ascii?Q?chunked?=\r\n", "0\r\n\r\n", 400);
  expect_refused("Content-Length: -5\r\n", "", 400);
  expect_refused("Content-Length: +5\r\n", "abcde", 400);
  expect_refused("Content-Length: abc\r\n", "", 400);
  expect_refused("Content-Length: 18446744073709551617\r\n", "", 400);
  expect_refused("Content-Length: 0\r\n X: folded\r\n", "", 400);
  expect_refused("Content-Length: 0\nX: y\r\n", "", 400);
  expect_refused("", "", 411);
  expect_refused("Transfer-Encoding: chunked\r\n", "zz\r\n", 400);
  expect_refused("Transfer-Encoding: chunked\r\n", "3\r\nabcd\r\n0\r\n\r\n", 400);
  expect_refused("Content-Length: 10000000000\r\n", "", 413);
  EXPECT_EQ(router_->dispatched(), 0);
  EXPECT_EQ(smuggled_, 0);
}

TEST_F(Desync, ABodyNobodyTakesIsNeverARequest) {
  const std::string inner = get_request("/smuggled");
  const std::string length = "Content-Length: " + std::to_string(inner.size()) + "\r\n";
  for (const std::string& first : {get_request("/hello", length), get_request("/none", length),
                                   "POST /hello HTTP/1.1\r\nHost: h\r\n" + length + "\r\n",
                                   get_request("/hello", "Transfer-Encoding: chunked\r\n")}) {
    test::TlsClient client(port());
    client.send(first + inner);
    EXPECT_EQ(client.read_answer().fields.at("Connection"), "Close");
    EXPECT_TRUE(client.ended());
  }
  EXPECT_EQ(smuggled_, 0);
}

TEST_F(Desync, BadHeadsAreAnswered) {
  const std::string host = "Host: h\r\n\r\n";
  EXPECT_EQ(status_of("GET /hello HTTP/9.9\r\n" + host), 505);
  EXPECT_EQ(status_of("GET /hello\r\n" + host), 400);
  EXPECT_EQ(status_of("GET /hello HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET /hello HTTP/1.1\r\nHost: a\r\n" + host), 400);
  EXPECT_EQ(status_of("GET /hello HTTP/1.1\n" + host), 400);
  EXPECT_EQ(status_of("GET http://h/hello HTTP/1.1\r\n" + host), 400);
  EXPECT_EQ(status_of("GET /a/../hello HTTP/1.1\r\n" + host), 400);
  EXPECT_EQ(status_of("GET /%2e%2e/hello HTTP/1.1\r\n" + host), 400);
  EXPECT_EQ(status_of("GET /hello%00 HTTP/1.1\r\n" + host), 400);
  EXPECT_EQ(status_of("GET /hello%2F HTTP/1.1\r\n" + host), 400);
  EXPECT_EQ(status_of(std::string("GET /hello HTTP/1.1\r\nX: a\0b\r\n", 29) + host), 400);
  EXPECT_EQ(status_of("GET /hello HTTP/1.1\r\nno colon\r\n" + host), 400);
  EXPECT_EQ(status_of("GET /hello HTTP/1.1\r\nX: =?a?Q?=0D=0Ab?=\r\n" + host), 400);
  EXPECT_EQ(status_of("GET /hello HTTP/1.1\r\nX: " + std::string(20000, 'a')), 431);
  EXPECT_EQ(status_of("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + host), 414);
  EXPECT_EQ(status_of("\x16\x03\x01 not http\r\n\r\n"), 400);
  EXPECT_EQ(router_->dispatched(), 0);
}

TEST_F(Desync, EscapedUnreservedCharactersReachTheirRoute) {  // EST-3.2.2-h
  EXPECT_EQ(status_of(get_request("/%68ello")), 200);
  EXPECT_EQ(status_of(get_request("/HELLO")), 404);
  EXPECT_EQ(status_of(get_request("//hello")), 404);
  EXPECT_EQ(status_of(get_request("/hello/")), 404);
}

}  // namespace
}  // namespace estia::http
