// SPDX-License-Identifier: Apache-2.0
// Many clients of the worst kinds, and one that must be served all the same.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <latch>
#include <list>
#include <thread>

#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A plain TCP connection from another address of the loopback network.
class Tcp final {
 public:
  Tcp(std::uint16_t port, const char* from) : descriptor_(test::connect_to(port, 0, from)) {}
  ~Tcp() { ::close(descriptor_); }
  Tcp(const Tcp&) = delete;
  Tcp& operator=(const Tcp&) = delete;
  Tcp(Tcp&&) = delete;
  Tcp& operator=(Tcp&&) = delete;
  [[nodiscard]] bool ended() const {
    char byte = 0;
    errno = 0;
    return ::read(descriptor_, &byte, 1) <= 0 && errno != EAGAIN;
  }

 private:
  int descriptor_;
};

class Crowd : public ServerTest {
 protected:
  Crowd() { limits_.workers = 1; }

  [[nodiscard]] test::TlsClient& tls(const test::TlsOffer& offer = {}) {
    return clients_.emplace_back(port(), offer);
  }
  void say(const std::string& bytes) { tls().send(bytes); }
  struct Two {
    test::TlsClient* waiting;  ///< has had an answer
    test::TlsClient* busy;     ///< its request has the only worker, until the gate is released
  };
  [[nodiscard]] Two keep_the_worker_busy() {
    add_slow_route();
    start();
    const Two two{&tls(), &tls()};
    two.waiting->send(get_request("/hello"));
    EXPECT_EQ(two.waiting->read_answer().status, 200);
    two.busy->send(get_request("/slow"));
    gate_->entered.wait();
    return two;
  }

  std::list<test::TlsClient> clients_;
};

/// Found as a hole: 64 of these, and three more a second, stopped the server.
TEST_F(Crowd, TheSilentTheSlowAndTheDeafHoldNoWorker) {
  limits_.linger = seconds(20);
  limits_.handshake = seconds(60);  // the machine may be slow
  router_->get("/huge", [](const Request&) { return text(std::string(30'000'000, 'x')); });
  start();
  std::list<Tcp> silent;
  for (int i = 0; i < 5; ++i) {
    silent.emplace_back(port(), "127.0.0.2");
    static_cast<void>(tls());                                                // no request
    say("GET /hello HT");                                                    // half a header
    say("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");  // half a body
    say("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
    say("nonsense\r\n\r\n");                                   // refused, and stays
    say(get_request("/hello"));                                // idle afterwards
    tls({.receive_buffer = 4096}).send(get_request("/huge"));  // never reads
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(status_of(get_request("/hello")), 200);
  }
}

/// Each empty line was taken for nothing, without end: a worker for each sender.
TEST_F(Crowd, EmptyLinesWithoutEndEndTheConnection) {
  limits_.header = seconds(120);  // not by its deadline
  start();
  test::TlsClient& flood = tls();
  std::string lines;
  for (int i = 0; i < 5000; ++i) {
    lines += "\r\n";
  }
  flood.send_what_is_taken(lines);
  EXPECT_TRUE(flood.ended());
  EXPECT_EQ(status_of("\r\n\r\n" + get_request("/hello")), 200);
}

/// Found in review: one SSL_read takes records that are no data for as long as they come.
TEST_F(Crowd, KeyUpdatesWithoutEndKeepNobodyOut) {
  limits_.header = seconds(1);
  start();
  std::atomic<int> ended{0};
  std::vector<std::jthread> floods;
  for (int i = 0; i < 3; ++i) {
    floods.emplace_back([&] {
      const test::TlsClient client(port(), {.version = TLS1_3_VERSION});
      const auto limit = std::chrono::steady_clock::now() + seconds(20);
      while (std::chrono::steady_clock::now() < limit) {
        if (::SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) != 1 ||
            ::SSL_do_handshake(client.ssl()) != 1) {
          ++ended;
          return;
        }
      }
    });
  }
  EXPECT_EQ(status_of(get_request("/hello")), 200);
  floods.clear();
  EXPECT_EQ(ended, 3) << "each by its deadline";
}

/// Found in review: a worker answered everything that one client had sent at once.
TEST_F(Crowd, RequestsSentAtOnceTakeTurnsWithOthers) {
  std::atomic<int> answered{0};
  std::atomic<int> before_honest{-1};
  std::latch begun{1};
  router_->get("/many", [&](const Request&) {
    if (++answered == 1) {
      begun.count_down();
    }
    std::this_thread::sleep_for(milliseconds(5));
    return text("m");
  });
  router_->get("/honest", [&](const Request&) {
    before_honest = answered.load();
    return text("h");
  });
  start();
  test::TlsClient& honest = tls();
  honest.send(get_request("/hello"));
  EXPECT_EQ(honest.read_answer().status, 200);
  std::string all;
  for (int i = 0; i < 200; ++i) {
    all += get_request("/many");
  }
  test::TlsClient& greedy = tls();
  greedy.send(all);
  begun.wait();
  honest.send(get_request("/honest"));
  EXPECT_EQ(honest.read_answer().body, "h");
  EXPECT_LT(before_honest, 100);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(greedy.read_answer().body, "m") << i;
  }
}

TEST_F(Crowd, WhatWasHalfIsAnsweredOnceItIsWhole) {
  start();
  test::TlsClient& header = tls();
  header.send("GET /hello HT");
  test::TlsClient& body = tls();
  body.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc");
  EXPECT_EQ(status_of(get_request("/hello")), 200);
  header.send("TP/1.1\r\nHost: h\r\n\r\n");
  body.send("def");
  EXPECT_EQ(header.read_answer().body, "hello");
  EXPECT_EQ(body.read_answer().body, "abcdef");
}

/// A dribble of bytes is given no more time than silence.
TEST_F(Crowd, ByteByByteEndsAtTheSameDeadline) {
  limits_.header = seconds(1);
  start();
  test::TlsClient& slow = tls();
  const auto begin = std::chrono::steady_clock::now();
  try {
    for (int i = 0; i < 200; ++i) {
      slow.send(i == 0 ? "GET /hello HTTP/1.1\r\nX: " : "x");
      std::this_thread::sleep_for(milliseconds(50));
    }
  } catch (const std::runtime_error&) {
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(9));
  EXPECT_EQ(status_of(get_request("/hello")), 200);
}

TEST_F(Crowd, ASlowReaderGetsAllOfItsAnswer) {
  const std::string all(3'000'000, 'y');
  router_->get("/large", [&](const Request&) { return text(all); });
  start();
  test::TlsClient& reader = tls({.receive_buffer = 4096});
  reader.send(get_request("/large") + get_request("/hello"));
  EXPECT_EQ(status_of(get_request("/hello")), 200);
  EXPECT_EQ(reader.read_answer().body, all);
  EXPECT_EQ(reader.read_answer().body, "hello");
}

TEST_F(Crowd, AnIdleConnectionHoldsNoWorker) {
  start();
  test::TlsClient& idle = tls();
  idle.send(get_request("/hello"));
  EXPECT_EQ(idle.read_answer().status, 200);
  EXPECT_EQ(status_of(get_request("/hello")), 200);
  idle.send(get_request("/hello"));
  EXPECT_EQ(idle.read_answer().status, 200);
}

TEST_F(Crowd, OneSourceHasOnlySoMany) {
  limits_.per_address = 2;
  start();
  const Tcp first(port(), "127.0.0.2");
  const Tcp second(port(), "127.0.0.2");
  EXPECT_TRUE(Tcp(port(), "127.0.0.2").ended());
  EXPECT_EQ(status_of(get_request("/hello")), 200) << "another address";
  test::TlsClient& one = tls();
  {
    const test::TlsClient two(port());
    EXPECT_ANY_THROW(const test::TlsClient third(port()));
  }
  one.send(get_request("/hello"));  // the place of the one that went is free once this is answered
  EXPECT_EQ(one.read_answer().status, 200);
}

TEST_F(Crowd, AnIdleOneMakesRoomWhenAllAreTaken) {
  limits_.connections = 2;
  start();
  test::TlsClient& idle = tls();
  idle.send(get_request("/hello"));
  EXPECT_EQ(idle.read_answer().status, 200);
  test::TlsClient& active = tls();
  active.send("GET /hello HT");
  EXPECT_EQ(status_of(get_request("/hello")), 200);
  EXPECT_TRUE(idle.ended());
  active.send("TP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(active.read_answer().status, 200);
}

/// Found in review: silent ones, whose deadline is nearer, hid it.
TEST_F(Crowd, AnIdleOneMakesRoomWhoeverIsSilent) {
  limits_.connections = 301;
  limits_.per_address = 1000;
  limits_.handshake = seconds(60);
  start();
  test::TlsClient& idle = tls();
  idle.send(get_request("/hello"));
  EXPECT_EQ(idle.read_answer().status, 200);
  std::list<Tcp> silent;
  for (int i = 0; i < 300; ++i) {
    silent.emplace_back(port(), "127.0.0.2");
  }
  EXPECT_EQ(status_of(get_request("/hello")), 200);
  EXPECT_TRUE(idle.ended());
}

TEST_F(Crowd, BuffersAreBounded) {
  limits_.buffered_bytes = 100'000;
  limits_.connections = 100;
  router_->post("/large", 1'000'000, [](const Request&) { return text("taken"); });
  start();
  const auto half_of = [&](std::size_t size) {
    test::TlsClient& client = tls();
    client.send("POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" +
                std::string(size, 'x'));
    return &client;
  };
  half_of(60'000);
  test::TlsClient* refused = half_of(60'000);
  const test::HttpAnswer answer = refused->read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.fields.count("Retry-After"), 1U);
  EXPECT_TRUE(refused->ended());
  half_of(39'000);  // nearly all is taken
  EXPECT_EQ(status_of(post_request("/echo", std::string(900, 'z'))), 200) << "its share is free";
  clients_.clear();
  EXPECT_NE(logged().find("id=http.buffers_full"), std::string::npos);
}

/// Its client may have given up; who comes later would wait longer still.
TEST_F(Crowd, ARequestThatWaitedTooLongForAWorkerIs503) {
  limits_.queue = milliseconds(50);
  const auto [waiting, busy] = keep_the_worker_busy();
  waiting->send(get_request("/hello"));
  std::this_thread::sleep_for(milliseconds(300));
  gate_->release.count_down();
  EXPECT_EQ(busy->read_answer().body, "slow");
  const test::HttpAnswer late = waiting->read_answer();
  EXPECT_EQ(late.status, 503);
  EXPECT_EQ(late.fields.count("Retry-After"), 1U);
  waiting->send(get_request("/hello"));
  EXPECT_EQ(waiting->read_answer().status, 200) << "the connection stays";
}

/// Found in review: it was closed without an answer, as if it had sent nothing.
TEST_F(Crowd, ARequestThatCameInTimeIsAnsweredHoweverLongItWaits) {
  limits_.queue = seconds(60);
  limits_.idle = seconds(2);
  limits_.replace = seconds(60);
  const auto [waiting, busy] = keep_the_worker_busy();
  waiting->send(get_request("/hello"));
  std::this_thread::sleep_for(limits_.idle + milliseconds(500));
  gate_->release.count_down();
  EXPECT_EQ(busy->read_answer().body, "slow");
  EXPECT_EQ(waiting->read_answer().status, 200);
}

/// Found in review: it waited for as long as the workers hung.
TEST_F(Crowd, ARequestThatNoWorkerTakesIs503WhileAllOfThemHang) {
  limits_.queue = milliseconds(50);
  limits_.replace = seconds(60);
  const auto [waiting, busy] = keep_the_worker_busy();
  waiting->send(get_request("/hello") + get_request("/hello"));
  for (int i = 0; i < 2; ++i) {
    const test::HttpAnswer late = waiting->read_answer();
    EXPECT_EQ(late.status, 503);
    EXPECT_EQ(late.fields.count("Retry-After"), 1U);
  }
  gate_->release.count_down();
  EXPECT_EQ(busy->read_answer().body, "slow");
  waiting->send(get_request("/hello"));
  EXPECT_EQ(waiting->read_answer().status, 200) << "the connection stays";
}

TEST_F(Crowd, ADrainLetsWhatHasBegunBeFinished) {
  start();
  test::TlsClient& begun = tls();
  begun.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc");
  test::TlsClient& idle = tls();
  idle.send(get_request("/hello"));
  EXPECT_EQ(idle.read_answer().status, 200);
  auto drained = std::async(std::launch::async, [&] { return server_->drain(seconds(20)); });
  EXPECT_TRUE(idle.ended());
  begun.send("def");
  const test::HttpAnswer answer = begun.read_answer();
  EXPECT_EQ(answer.body, "abcdef");
  EXPECT_EQ(answer.fields.at("Connection"), "Close");
  EXPECT_TRUE(begun.ended());
  EXPECT_TRUE(drained.get());
}

/// As many as the tokens can keep, and one for who needs none.
TEST_F(Crowd, WhoTakesAPlaceMayHangToo) {
  limits_.spares = 2;
  limits_.replace = milliseconds(50);
  limits_.queue = seconds(60);
  std::latch entered(2);
  std::latch release(1);
  router_->get("/hangs", [&](const Request&) {
    entered.count_down();
    release.wait();
    return text("late");
  });
  start();
  test::TlsClient& one = tls();
  one.send(get_request("/hangs"));
  test::TlsClient& other = tls();
  other.send(get_request("/hangs"));
  entered.wait();
  EXPECT_EQ(status_of(get_request("/hello")), 200);
  release.count_down();
  EXPECT_EQ(one.read_answer().body, "late");
  EXPECT_EQ(other.read_answer().body, "late");
}

/// Found by a run of the tests: it was told that its body ended too early.
TEST_F(Crowd, ADrainWaitsForARequestOfWhichNothingIsReadYet) {
  limits_.replace = seconds(60);
  limits_.queue = seconds(60);
  const auto [waiting, busy] = keep_the_worker_busy();
  waiting->send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc");
  const Tcp idle(port(), "127.0.0.2");
  auto drained = std::async(std::launch::async, [&] { return server_->drain(seconds(20)); });
  EXPECT_TRUE(idle.ended()) << "though the only worker is busy";
  gate_->release.count_down();
  EXPECT_EQ(busy->read_answer().body, "slow");
  waiting->send("def");
  EXPECT_EQ(waiting->read_answer().body, "abcdef");
  EXPECT_TRUE(waiting->ended());
  EXPECT_TRUE(drained.get());
}

TEST_F(Crowd, AConnectionEndsAfterAThousandRequests) {
  start();
  test::TlsClient& client = tls();
  for (int i = 0; i < 999; ++i) {
    client.send(get_request("/hello"));
    ASSERT_EQ(client.read_answer().status, 200) << i;
  }
  client.send(get_request("/hello"));
  EXPECT_EQ(client.read_answer().fields.at("Connection"), "Close");
  EXPECT_TRUE(client.ended());
}

}  // namespace
}  // namespace estia::http
