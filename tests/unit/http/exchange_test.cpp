// SPDX-License-Identifier: Apache-2.0
#include <Poco/Exception.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/base/error.h"
#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

class Exchange : public ServerTest {
 protected:
  Exchange() { start(); }
};

TEST_F(Exchange, AnAnswerHasWhatClientsNeed) {  // docs/clients.md
  test::TlsClient client(port());
  client.send(get_request("/hello"));
  const test::HttpAnswer answer = client.read_answer();
  EXPECT_TRUE(answer.head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.fields.at("Content-Length"), "5");
  EXPECT_EQ(answer.fields.at("Content-Type"), "text/plain");
  EXPECT_TRUE(answer.fields.contains("Date"));
  EXPECT_FALSE(answer.fields.contains("Server"));
  EXPECT_FALSE(answer.fields.contains("Transfer-Encoding"));
}

TEST_F(Exchange, FieldNamesAreSentAsTheHandlerSpeltThem) {
  router_->get("/spelt", [](const Request&) {
    Response response = text("x");
    response.headers.add("Content-Transfer-Encoding", "base64");
    response.headers.add("X-oDD", "1");
    response.headers.add("WWW-Authenticate", "Basic realm=\"a\"");
    response.headers.add("WWW-Authenticate", "Digest realm=\"b\"");
    return response;
  });
  test::TlsClient client(port());
  client.send(get_request("/spelt"));
  const std::string head = client.read_answer().head;
  for (const char* line : {"\r\nContent-Type: ", "\r\nContent-Length: 1\r\n",
                           "\r\nContent-Transfer-Encoding: base64\r\n", "\r\nX-oDD: 1\r\n",
                           "\r\nWWW-Authenticate: Basic realm=\"a\"\r\n",
                           "\r\nWWW-Authenticate: Digest realm=\"b\"\r\n"}) {
    EXPECT_NE(head.find(line), std::string::npos) << line << " in " << head;
  }
}

TEST_F(Exchange, TheHeadComesInTheFirstRecord) {  // strongSwan
  router_->get("/large", [](const Request&) {
    Response response = text(std::string(100'000, 'b'));
    response.headers.add("X-Long", std::string(4000, 'h'));
    return response;
  });
  test::TlsClient client(port());
  client.send(get_request("/large"));
  EXPECT_NE(client.read_record().find("\r\n\r\n"), std::string::npos);
  EXPECT_EQ(client.read_answer().body, std::string(100'000, 'b'));
}

TEST_F(Exchange, HeadHasTheLengthAndNoBody) {  // HTTP-9.1-a
  test::TlsClient client(port());
  client.send("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n" + get_request("/hello"));
  const test::HttpAnswer head = client.read_answer(true);
  EXPECT_EQ(head.fields.at("Content-Length"), "5");
  EXPECT_EQ(client.read_answer().body, "hello");
}

TEST_F(Exchange, TheConnectionOutlivesARefusal) {  // cest
  router_->post("/closed", 100, [](const Request&) -> Response {
    throw Error(ErrorCode::unauthenticated, "auth.required", "who are you?");
  });
  test::TlsClient client(port());
  for (int i = 0; i < 3; ++i) {
    client.send(post_request("/closed", "some body"));
    EXPECT_EQ(client.read_answer().status, 401);
  }
  client.send(get_request("/nothing"));
  EXPECT_EQ(client.read_answer().status, 404);
  client.send(get_request("/hello"));
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(Exchange, PipelinedRequestsAreAnsweredInOrder) {
  test::TlsClient client(port());
  client.send(post_request("/echo", "one") + get_request("/hello") + post_request("/echo", "two"));
  EXPECT_EQ(client.read_answer().body, "one");
  EXPECT_EQ(client.read_answer().body, "hello");
  EXPECT_EQ(client.read_answer().body, "two");
}

TEST_F(Exchange, StrayLineEndsAreNoRequest) {  // libest
  test::TlsClient client(port());
  client.send(post_request("/echo", "abc") + "\r\n" + get_request("/hello") + "\r\n");
  EXPECT_EQ(client.read_answer().body, "abc");
  EXPECT_EQ(client.read_answer().body, "hello");
  client.send("\r\n", 1);
  client.send(post_request("/echo", "abc", "Connection: close\r\n") + "\r\n");
  EXPECT_EQ(client.read_answer().body, "abc");
  EXPECT_TRUE(client.ended());
}

TEST_F(Exchange, HeadsMayComeInTinyRecords) {  // Bouncy Castle
  test::TlsClient client(port());
  client.send(post_request("/echo", "abc"), 1);
  EXPECT_EQ(client.read_answer().body, "abc");
}

TEST_F(Exchange, ClosesWhenTheClientWantsIt) {
  for (const char* request :
       {"GET /hello HTTP/1.0\r\n\r\n", "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}) {
    test::TlsClient client(port());
    client.send(request);
    const test::HttpAnswer answer = client.read_answer();
    EXPECT_TRUE(answer.head.starts_with("HTTP/1.1 200 "));
    EXPECT_EQ(answer.fields.at("Connection"), "Close");
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(Exchange, ClosesWhenTheHandlerWantsIt) {  // TLSX-9266-d
  router_->get("/last", [](const Request&) {
    Response response = text("x");
    response.close = true;
    return response;
  });
  test::TlsClient client(port());
  client.send(get_request("/last"));
  EXPECT_EQ(client.read_answer().fields.at("Connection"), "Close");
  EXPECT_TRUE(client.ended());
}

TEST_F(Exchange, WhateverAHandlerThrowsIsAnswered) {
  router_->get("/std", [](const Request&) -> Response { throw std::runtime_error("pin 1234"); });
  router_->get("/poco", [](const Request&) -> Response { throw Poco::IOException("pin 1234"); });
  router_->get("/int", [](const Request&) -> Response { throw 42; });
  router_->get("/token", [](const Request&) -> Response {
    throw Error(ErrorCode::token, "token.gone", "try later", "CKR_DEVICE_REMOVED");
  });
  router_->get("/split", [](const Request&) {
    Response response = text("x");
    response.headers.add("X", "a\r\nInjected: b");
    return response;
  });
  test::TlsClient client(port());
  for (const char* path : {"/std", "/poco", "/int", "/split"}) {
    client.send(get_request(path));
    const test::HttpAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, 500) << path;
    EXPECT_EQ(answer.body, "internal error\n") << path;
  }
  client.send(get_request("/token"));
  const test::HttpAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "try later\n");
  EXPECT_TRUE(answer.fields.contains("Retry-After"));
}

TEST_F(Exchange, ARouterThatFailsIsAnswered) {
  class Failing final : public Router {
    RouteMatch match(std::string_view, const std::vector<std::string>&,
                     const PeerInfo&) const override {
      throw std::logic_error("defect");
    }
  };
  Server server({}, server_identity(), std::make_shared<Failing>());
  server.start();
  test::TlsClient client(server.port());
  client.send(get_request("/"));
  EXPECT_EQ(client.read_answer().status, 500);
}

TEST_F(Exchange, OneLineIsLoggedPerRequestWithoutSecrets) {
  router_->get("/fails", [](const Request&) -> Response {
    throw Error(ErrorCode::forbidden, "some.id", "no", "line\nbreak");
  });
  test::TlsClient client(port());
  client.send(get_request("/fails?q=s3cret-query", "Authorization: Basic czNjcmV0\r\n"));
  EXPECT_EQ(client.read_answer().status, 403);
  client.send(post_request("/echo", "s3cret-body"));
  EXPECT_EQ(client.read_answer().status, 200);
  const std::string log = logged();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2) << log;
  EXPECT_NE(log.find("method=GET path=/fails status=403 id=some.id detail=\"line\\nbreak\""),
            std::string::npos)
      << log;
  EXPECT_EQ(log.find("s3cret"), std::string::npos) << log;
  EXPECT_EQ(log.find("czNjcmV0"), std::string::npos) << log;
}

}  // namespace
}  // namespace estia::http
