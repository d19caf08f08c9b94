// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <latch>
#include <thread>

#include "crypto/base/error.h"
#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using Lifetime = ServerTest;

/// Whether the server has ended a plain TCP connection, within the socket's 20 s.
bool closed_by_server(int descriptor) {
  char byte = 0;
  errno = 0;
  const bool closed = ::read(descriptor, &byte, 1) <= 0 && errno != EAGAIN;
  ::close(descriptor);
  return closed;
}

TEST_F(Lifetime, DrainAnswersWhatIsInFlight) {
  add_slow_route();
  start();
  const std::uint16_t port_before = port();
  test::TlsClient idle(port());
  idle.send(get_request("/hello"));
  EXPECT_EQ(idle.read_answer().status, 200);
  test::TlsClient busy(port());
  busy.send(get_request("/slow"));
  gate_->entered.wait();
  auto drained = std::async(std::launch::async, [&] { return server_->drain(seconds(20)); });
  EXPECT_TRUE(idle.ended());  // drain has begun
  gate_->release.count_down();
  const test::HttpAnswer answer = busy.read_answer();
  EXPECT_EQ(answer.body, "slow");
  EXPECT_EQ(answer.fields.at("Connection"), "Close");
  EXPECT_TRUE(busy.ended());
  EXPECT_TRUE(drained.get());
  EXPECT_THROW(static_cast<void>(test::connect_to(port_before)), std::runtime_error);
}

TEST_F(Lifetime, DrainCutsAtItsLimitAndTheServerGoesAllTheSame) {
  const auto left = std::make_shared<std::latch>(1);  // its thread outlives the server
  router_->get("/stuck", [gate = gate_, left](const Request&) {
    gate->pass();
    left->count_down();
    return text("late");
  });
  start();
  test::TlsClient client(port());
  client.send(get_request("/stuck"));
  gate_->entered.wait();
  EXPECT_FALSE(server_->drain(milliseconds(50)));
  server_.reset();
  gate_->release.count_down();
  left->wait();
  EXPECT_ANY_THROW(static_cast<void>(client.read_answer()));
  std::this_thread::sleep_for(milliseconds(200));  // it has still to leave Poco's globals alone
}

TEST_F(Lifetime, ASecondServerOnThePortIsRefused) {
  start();
  Server second({.host = "127.0.0.1", .port = port(), .limits = {}}, server_identity(), router_);
  try {
    second.start();
    FAIL() << "two servers share a port";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::config);
    EXPECT_EQ(error.id(), "http.bind");
    EXPECT_NE(std::string(error.what()).find(std::to_string(port())), std::string::npos);
  }
}

TEST_F(Lifetime, SlowHandshakesEnd) {
  limits_.handshake = milliseconds(100);
  start();
  EXPECT_TRUE(closed_by_server(test::connect_to(port())));
  EXPECT_NE(logged().find("event=tls.handshake_failed"), std::string::npos);
}

TEST_F(Lifetime, SilentConnectionsEnd) {
  limits_.header = milliseconds(100);
  start();
  test::TlsClient silent(port());
  EXPECT_TRUE(silent.ended());
}

TEST_F(Lifetime, SlowHeadersEnd) {
  limits_.header = seconds(2);
  start();
  test::TlsClient slow(port());
  slow.send("GET /hello HT");
  EXPECT_EQ(slow.read_answer().status, 408);
  EXPECT_TRUE(slow.ended());
}

TEST_F(Lifetime, SlowBodiesEnd) {
  limits_.body = milliseconds(100);
  start();
  test::TlsClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(router_->dispatched(), 0);
}

TEST_F(Lifetime, IdleConnectionsEnd) {
  limits_.idle = milliseconds(100);
  start();
  test::TlsClient client(port());
  client.send(get_request("/hello"));
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(client.ended());
}

TEST_F(Lifetime, AClientThatNeverReadsGivesItsWorkerBack) {
  limits_.send = milliseconds(200);
  limits_.linger = milliseconds(100);
  limits_.workers = 1;
  router_->get("/huge", [](const Request&) { return text(std::string(30'000'000, 'x')); });
  start();
  test::TlsClient deaf(port(), {.receive_buffer = 4096});
  deaf.send(get_request("/huge"));
  EXPECT_EQ(status_of(get_request("/hello")), 200);  // by the only worker
  const std::string log = logged();
  EXPECT_NE(log.find("path=/huge status=200 id=- detail=- sent=no"), std::string::npos) << log;
}

TEST_F(Lifetime, ConnectionsOverTheLimitAreClosed) {
  limits_.connections = 2;
  start();
  test::TlsClient first(port());
  test::TlsClient second(port());
  EXPECT_TRUE(closed_by_server(test::connect_to(port())));
  first.send(get_request("/hello"));
  EXPECT_EQ(first.read_answer().status, 200);
}

TEST_F(Lifetime, AV4ClientOfADualStackListenerKeepsItsName) {
  std::string address;
  router_->get("/who", [&](const Request& request) {
    address = request.peer.address;
    return text("x");
  });
  Server server({.host = "::", .port = 0, .limits = {}}, server_identity(), router_);
  try {
    server.start();
  } catch (const Error& error) {
    GTEST_SKIP() << "no IPv6 on this machine: " << error.detail();
  }
  test::TlsClient client(server.port());
  client.send(get_request("/who"));
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(address, "127.0.0.1");
}

TEST_F(Lifetime, ManyClientsAtOnce) {
  limits_.workers = 8;
  start();
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([&, i] {
        for (int round = 0; round < 10; ++round) {
          test::TlsClient client(port());
          const std::string body = std::to_string(i * 100 + round);
          client.send(post_request("/echo", body) + get_request("/hello"));
          good += client.read_answer().body == body && client.read_answer().body == "hello" ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(good, 80);
  EXPECT_TRUE(server_->drain(seconds(20)));
}

}  // namespace
}  // namespace estia::http
