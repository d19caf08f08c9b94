// SPDX-License-Identifier: Apache-2.0
// Handlers that do not come back (D15): their clients are told, and others are served.
#include <future>
#include <latch>

#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

using std::chrono::milliseconds;

class LateAnswers : public ServerTest {
 protected:
  LateAnswers() {
    limits_.answer = milliseconds(100);
    limits_.workers = 1;
  }
  /// Lets the handler go and waits until the log has what became of it.
  [[nodiscard]] std::string after_release() {
    gate_->release.count_down();
    return logged();
  }
};

TEST_F(LateAnswers, TheClientIsToldAndTheConnectionEnds) {
  add_slow_route();
  start();
  test::TlsClient client(port());
  client.send(get_request("/slow"));
  const test::HttpAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.fields.at("Connection"), "close");
  EXPECT_NE(answer.fields.at("Retry-After"), "");
  EXPECT_NE(answer.body, "slow");
  EXPECT_TRUE(client.ended());
  const std::string log = after_release();
  EXPECT_NE(log.find("event=http.answer_late"), std::string::npos) << log;
  EXPECT_NE(log.find("path=/slow status=200 id=- detail=- sent=no"), std::string::npos) << log;
}

/// What came after it in the same bytes is not answered.
TEST_F(LateAnswers, NothingFollowsTheLastWords) {
  add_slow_route();
  start();
  test::TlsClient client(port());
  client.send(get_request("/slow") + get_request("/hello"));
  EXPECT_EQ(client.read_answer().status, 503);
  EXPECT_TRUE(client.ended());
  static_cast<void>(after_release());
  EXPECT_EQ(router_->dispatched(), 1);
}

/// The only worker is still at it.
TEST_F(LateAnswers, AnotherWorkerTakesItsPlace) {
  add_slow_route();
  start();
  test::TlsClient stuck(port());
  stuck.send(get_request("/slow"));
  EXPECT_EQ(stuck.read_answer().status, 503);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(status_of(get_request("/hello")), 200);
  }
  EXPECT_FALSE(server_->load().stalled);
  static_cast<void>(after_release());
}

/// Found in review: for a minute nobody else was served.
TEST_F(LateAnswers, ItDoesSoLongBeforeTheClientIsTold) {
  limits_.answer = std::chrono::hours(1);
  limits_.replace = milliseconds(100);
  add_slow_route();
  start();
  test::TlsClient kept(port());
  kept.send(get_request("/hello"));
  EXPECT_EQ(kept.read_answer().status, 200);
  test::TlsClient stuck(port());
  stuck.send(get_request("/slow") + get_request("/hello"));
  gate_->entered.wait();
  kept.send(get_request("/hello"));
  EXPECT_EQ(kept.read_answer().status, 200);
  EXPECT_EQ(status_of(get_request("/hello")), 200);
  gate_->release.count_down();
  EXPECT_EQ(stuck.read_answer().body, "slow");
  EXPECT_EQ(stuck.read_answer().body, "hello") << "its connection goes on";
  EXPECT_EQ(logged().find("event=http.answer_late"), std::string::npos);
}

/// As many as there are workers; the threads of a process are not without end.
TEST_F(LateAnswers, SpareWorkersHaveAnEnd) {
  const auto both = std::make_shared<std::latch>(2);
  router_->get("/stuck", [gate = gate_, both](const Request&) {
    both->count_down();
    gate->release.wait();
    return text("late");
  });
  limits_.queue = milliseconds(50);
  start();
  test::TlsClient first(port());
  first.send(get_request("/stuck"));
  EXPECT_EQ(first.read_answer().status, 503);
  test::TlsClient second(port());
  second.send(get_request("/stuck"));
  both->wait();
  EXPECT_EQ(second.read_answer().status, 503) << "told all the same";
  while (!server_->load().stalled) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  gate_->release.count_down();
  EXPECT_EQ(status_of(get_request("/hello")), 200);
}

TEST_F(LateAnswers, AHandlerCanAskWhetherItWasGivenUp) {
  const auto gone = std::make_shared<std::promise<bool>>();
  router_->get("/asks", [gate = gate_, gone](const Request& request) {
    const bool before = request.client_gone();
    gate->pass();
    gone->set_value(!before && request.client_gone());
    return text("late");
  });
  start();
  test::TlsClient client(port());
  client.send(get_request("/asks"));
  EXPECT_EQ(client.read_answer().status, 503);
  gate_->release.count_down();
  EXPECT_TRUE(gone->get_future().get());
}

TEST_F(LateAnswers, HeadHasNoBody) {
  add_slow_route();
  start();
  test::TlsClient client(port());
  client.send("HEAD /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read_answer(true).status, 503);
  EXPECT_TRUE(client.ended());
  static_cast<void>(after_release());
}

/// What is in time is not disturbed by what is not.
TEST_F(LateAnswers, OthersAreAnsweredMeanwhile) {
  limits_.workers = 8;
  add_slow_route();
  start();
  test::TlsClient stuck(port());
  stuck.send(get_request("/slow"));
  gate_->entered.wait();
  int good = 0;
  for (int i = 0; i < 50; ++i) {
    good += status_of(get_request("/hello")) == 200 ? 1 : 0;
  }
  EXPECT_EQ(good, 50);
  EXPECT_EQ(stuck.read_answer().status, 503);
  static_cast<void>(after_release());
}

}  // namespace
}  // namespace estia::http
