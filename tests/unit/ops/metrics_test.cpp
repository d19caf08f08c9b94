// SPDX-License-Identifier: Apache-2.0
#include "server/ops/metrics.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace estia::ops {
namespace {

using std::chrono::milliseconds;

bool has_line(const Metrics& metrics, const std::string& line) {
  return ("\n" + metrics.text()).find("\n" + line + "\n") != std::string::npos;
}

TEST(Metrics, CountsAnswersByOperationStatusAndRefusal) {
  Metrics metrics;
  metrics.answered("simpleenroll", 200, "", milliseconds(3));
  metrics.answered("simpleenroll", 200, "", milliseconds(30));
  metrics.answered("", 404, "route.unknown", milliseconds(1));
  const std::string text = metrics.text();
  EXPECT_TRUE(has_line(
      metrics, R"(estia_requests_total{operation="simpleenroll",refusal="",status="200"} 2)"))
      << text;
  EXPECT_TRUE(has_line(
      metrics, R"(estia_requests_total{operation="none",refusal="route.unknown",status="404"} 1)"))
      << text;
  EXPECT_TRUE(has_line(metrics, R"(estia_request_seconds_count{operation="simpleenroll"} 2)"));
  EXPECT_TRUE(
      has_line(metrics, R"(estia_request_seconds_bucket{operation="simpleenroll",le="0.005"} 1)"));
}

TEST(Metrics, CountsHandshakesAndWhoIsTurnedAway) {
  Metrics metrics;
  metrics.handshake(true);
  metrics.handshake(false);
  metrics.handshake(false);
  metrics.turned_away("per_address");
  EXPECT_TRUE(has_line(metrics, R"(estia_tls_handshakes_total{result="ok"} 1)"));
  EXPECT_TRUE(has_line(metrics, R"(estia_tls_handshakes_total{result="failed"} 2)"));
  EXPECT_TRUE(has_line(metrics, R"(estia_connections_refused_total{reason="per_address"} 1)"));
}

TEST(Metrics, ATotalOfSomebodyElseNeverShrinks) {
  Metrics metrics;
  metrics.set_total("x_total", "x", 5);
  metrics.set_total("x_total", "x", 9);
  metrics.set_total("x_total", "x", 9);
  EXPECT_TRUE(has_line(metrics, "x_total 9"));
  metrics.set_total("x_total", "x", 3);
  EXPECT_TRUE(has_line(metrics, "x_total 9"));
}

TEST(Metrics, AHistogramOfSomebodyElseIsTakenAsItIs) {
  Metrics metrics;
  metrics.set_histogram("t_seconds", "t", {.1, 1}, {3, 0, 1}, 7.5, {{"token", "main"}});
  metrics.set_histogram("t_seconds", "t", {.1, 1}, {3, 2, 1}, 8.5, {{"token", "main"}});
  EXPECT_TRUE(has_line(metrics, R"(t_seconds_bucket{token="main",le="0.1"} 3)")) << metrics.text();
  EXPECT_TRUE(has_line(metrics, R"(t_seconds_bucket{token="main",le="1"} 5)"));
  EXPECT_TRUE(has_line(metrics, R"(t_seconds_count{token="main"} 6)"));
  EXPECT_TRUE(has_line(metrics, R"(t_seconds_sum{token="main"} 8.5)"));
}

TEST(Metrics, AValueIsTheLastOne) {
  Metrics metrics;
  metrics.set("y", "y", 5, {{"ca", "issuing"}});
  metrics.set("y", "y", 2, {{"ca", "issuing"}});
  EXPECT_TRUE(has_line(metrics, R"(y{ca="issuing"} 2)"));
  EXPECT_TRUE(has_line(metrics, "# TYPE y gauge"));
}

/// Names of CAs are the operator's: nothing in one may end a line.
TEST(Metrics, ALabelCannotEndALine) {
  Metrics metrics;
  metrics.set("z", "z", 1, {{"ca", "a\"b\nestia_ready 1"}});
  EXPECT_FALSE(has_line(metrics, "estia_ready 1\"} 1")) << metrics.text();
  EXPECT_TRUE(has_line(metrics, R"(z{ca="a\"b\nestia_ready 1"} 1)")) << metrics.text();
}

TEST(Metrics, CountsOfManyThreadsAreWhole) {
  Metrics metrics;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 500; ++round) {
          metrics.answered("cacerts", 200, "", milliseconds(1));
        }
      });
    }
  }
  EXPECT_TRUE(has_line(
      metrics, R"(estia_requests_total{operation="cacerts",refusal="",status="200"} 4000)"));
}

}  // namespace
}  // namespace estia::ops
