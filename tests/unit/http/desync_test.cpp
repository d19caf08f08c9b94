// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

struct Row {
  const char* what;
  std::string bytes;
  int status;
};

std::string post(const std::string& fields) {
  return "POST /echo HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

/// Fields of a POST; what would be their body follows the empty line.
const std::vector<Row> kAmbiguous{
    {"length, then chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
    {"chunked, then length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400},
    {"two lengths", "Content-Length: 0\r\nContent-Length: 5\r\n", 400},
    {"the same length twice", "Content-Length: 3\r\nContent-Length: 3\r\n", 400},
    {"a list of lengths", "Content-Length: 3, 3\r\n", 400},
    {"a space before the colon", "Transfer-Encoding : chunked\r\nContent-Length: 0\r\n", 400},
    {"a space before the length's colon", "Content-Length : 0\r\n", 400},
    {"gzip, chunked", "Transfer-Encoding: gzip, chunked\r\n", 501},
    {"xchunked", "Transfer-Encoding: xchunked\r\n", 501},
    {"identity", "Transfer-Encoding: identity\r\n", 501},
    {"chunked twice", "Transfer-Encoding: chunked, chunked\r\n", 501},
    {"two fields chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
    {"an RFC 2047 word", "Transfer-Encoding: =?us-ascii?Q?chunked?=\r\n", 400},
    {"a negative length", "Content-Length: -5\r\n", 400},
    {"a length with a sign", "Content-Length: +5\r\n", 400},
    {"a length in words", "Content-Length: abc\r\n", 400},
    {"a length in hexadecimal", "Content-Length: 0x5\r\n", 400},
    {"a length beyond 64 bits", "Content-Length: 18446744073709551617\r\n", 400},
    {"an empty length", "Content-Length:\r\n", 400},
    {"a folded line", "Content-Length: 0\r\n X: folded\r\n", 400},
    {"a bare LF", "Content-Length: 0\nX: y\r\n", 400},
    {"neither", "", 411},
    {"ten gigabytes", "Content-Length: 10000000000\r\n", 413},
    {"an expectation nobody knows", "Content-Length: 0\r\nExpect: 200-ok\r\n", 417},
};

/// Bodies in chunks.
const std::vector<Row> kBadChunks{
    {"no size", "zz\r\n", 400},
    {"a size beyond 64 bits", "10000000000000000\r\n", 400},
    {"a negative size", "-1\r\n", 400},
    {"more than its size", "3\r\nabcd\r\n0\r\n\r\n", 400},
    {"a bare LF after the size", "3\nabc\r\n0\r\n\r\n", 400},
    {"more than the route takes", "3e9\r\n", 413},
};

std::string get_line(const std::string& line) {
  return line + "\r\nHost: h\r\n\r\n";
}

/// Whole heads.
const std::vector<Row> kBadHeads{
    {"HTTP/9.9", get_line("GET /hello HTTP/9.9"), 505},
    {"HTTP/2.0", get_line("GET /hello HTTP/2.0"), 505},
    {"no version", get_line("GET /hello"), 400},
    {"lower case", get_line("GET /hello http/1.1"), 400},
    {"two spaces", get_line("GET  /hello HTTP/1.1"), 400},
    {"no Host", "GET /hello HTTP/1.1\r\n\r\n", 400},
    {"two Hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: h\r\n\r\n", 400},
    {"LF alone", "GET /hello HTTP/1.1\nHost: h\r\n\r\n", 400},
    {"an absolute target", get_line("GET http://h/hello HTTP/1.1"), 400},
    {"dots", get_line("GET /a/../hello HTTP/1.1"), 400},
    {"escaped dots", get_line("GET /%2e%2e/hello HTTP/1.1"), 400},
    {"an escaped NUL", get_line("GET /hello%00 HTTP/1.1"), 400},
    {"an escaped slash", get_line("GET /hello%2F HTTP/1.1"), 400},
    {"half an escape", get_line("GET /hello%2 HTTP/1.1"), 400},
    {"a NUL in a value", std::string("GET /hello HTTP/1.1\r\nX: a\0b\r\nHost: h\r\n\r\n", 40), 400},
    {"no colon", "GET /hello HTTP/1.1\r\nno colon\r\nHost: h\r\n\r\n", 400},
    {"an RFC 2047 word", "GET /hello HTTP/1.1\r\nX: =?a?Q?=0D=0Ab?=\r\nHost: h\r\n\r\n", 400},
    {"a long field", "GET /hello HTTP/1.1\r\nX: " + std::string(20000, 'a'), 431},
    {"a long target", get_line("GET /" + std::string(9000, 'a') + " HTTP/1.1"), 414},
    {"TLS inside TLS", "\x16\x03\x01 not http\r\n\r\n", 400},
};

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

  /// The answer to `bytes`, after which a good request follows in the same records.
  void expect_refused(const Row& row) {
    SCOPED_TRACE(row.what);
    test::TlsClient client(port());
    client.send(row.bytes + get_request("/smuggled"));
    const test::HttpAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, row.status);
    EXPECT_EQ(answer.fields.at("Connection"), "Close");
    EXPECT_EQ(answer.fields.at("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_FALSE(answer.body.empty());
    EXPECT_TRUE(client.ended());
  }

  std::atomic<int> smuggled_{0};
};

TEST_F(Desync, WhatIsAmbiguousIsRefusedAndNothingBehindItIsAnswered) {
  for (const Row& row : kAmbiguous) {
    expect_refused({row.what, post(row.bytes), row.status});
  }
  for (const Row& row : kBadChunks) {
    expect_refused({row.what, post("Transfer-Encoding: chunked\r\n") + row.bytes, row.status});
  }
  for (const Row& row : kBadHeads) {
    expect_refused(row);
  }
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

TEST_F(Desync, EscapedUnreservedCharactersReachTheirRoute) {  // EST-3.2.2-h
  EXPECT_EQ(status_of(get_request("/%68ello")), 200);
  EXPECT_EQ(status_of(get_request("/HELLO")), 404);
  EXPECT_EQ(status_of(get_request("//hello")), 404);
  EXPECT_EQ(status_of(get_request("/hello/")), 404);
}

}  // namespace
}  // namespace estia::http
