// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

class Body : public ServerTest {
 protected:
  Body() { start(); }
};

const std::string kPost = "POST /echo HTTP/1.1\r\nHost: h\r\n";

TEST_F(Body, LengthsUpToTheLimitAreTaken) {
  test::TlsClient client(port());
  for (const std::size_t size : {0U, 1U, 999U, 1000U}) {
    client.send(post_request("/echo", std::string(size, 'x')));
    EXPECT_EQ(client.read_answer().body, std::string(size, 'x'));
  }
  client.send(post_request("/echo", std::string(1001, 'x')));
  EXPECT_EQ(client.read_answer().status, 413);
  EXPECT_TRUE(client.ended());
}

TEST_F(Body, ChunkedIsTaken) {  // HTTP-10.1.1-a; globalsign's client
  test::TlsClient client(port());
  client.send(
      kPost + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: v\r\n\r\n", 1);
  EXPECT_EQ(client.read_answer().body, "abcde");
  client.send(get_request("/hello"));
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST_F(Body, ChunkedCountsAgainstTheLimit) {
  test::TlsClient client(port());
  client.send(kPost + "Transfer-Encoding: chunked\r\n\r\n3E9\r\n");
  EXPECT_EQ(client.read_answer().status, 413);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(router_->dispatched(), 0);
}

TEST_F(Body, ATruncatedBodyIsNeverDispatched) {
  for (const char* start :
       {"Content-Length: 10\r\n\r\nshort", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    for (const bool with_close_notify : {true, false}) {
      test::TlsClient client(port());
      client.send(kPost + start);
      with_close_notify ? client.end() : client.cut();
      EXPECT_EQ(client.read_answer().status, 400) << start;
      EXPECT_TRUE(client.ended());
    }
  }
  EXPECT_EQ(router_->dispatched(), 0);
}

TEST_F(Body, ContinueIsSentToAKnownRouteOnly) {  // HTTP-10.1.1-a
  const std::string expect = "Expect: 100-continue\r\n";
  test::TlsClient client(port());
  client.send(kPost + expect + "Content-Length: 3\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 100);
  client.send("abc");
  EXPECT_EQ(client.read_answer().body, "abc");

  client.send(kPost + expect + "Content-Length: 3\r\n\r\nabc");  // it did not wait
  EXPECT_EQ(client.read_answer().status, 200);
  client.send(kPost + expect + "Content-Length: 0\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 200);
  client.send(get_request("/hello", expect));
  EXPECT_EQ(client.read_answer().status, 200);

  EXPECT_EQ(status_of("POST /none HTTP/1.1\r\nHost: h\r\n" + expect + "Content-Length: 3\r\n\r\n"),
            404);
  EXPECT_EQ(status_of(kPost + expect + "Content-Length: 3000\r\n\r\n"), 413);
  EXPECT_EQ(status_of(kPost + "Expect: tea\r\nContent-Length: 3\r\n\r\nabc"), 417);
}

TEST_F(Body, RefusalIsReadableByAClientThatIsStillSending) {
  for (int i = 0; i < 10; ++i) {
    test::TlsClient client(port());
    client.send(kPost + "Content-Length: 2000000\r\n\r\n");
    client.send_what_is_taken(std::string(2'000'000, 'x'));
    EXPECT_EQ(client.read_answer().status, 413);
  }
  EXPECT_EQ(router_->dispatched(), 0);
}

}  // namespace
}  // namespace estia::http
