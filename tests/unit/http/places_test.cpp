// SPDX-License-Identifier: Apache-2.0
#include "server/http/places.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

#include "server/http/server.h"

namespace estia::http {
namespace {

bool readable(const Wakeup& wakeup) {
  pollfd wanted{wakeup.descriptor(), POLLIN, 0};
  return ::poll(&wanted, 1, 0) == 1;
}

TEST(Wakeup, IsHeardOnceAndOnlyByWhoeverAsked) {
  Wakeup wakeup;
  wakeup.signal();
  EXPECT_FALSE(readable(wakeup)) << "nobody asked";
  wakeup.ask();
  wakeup.signal();
  EXPECT_TRUE(readable(wakeup));
  wakeup.clear();
  EXPECT_FALSE(readable(wakeup));
  wakeup.signal();
  EXPECT_FALSE(readable(wakeup)) << "asked once";
}

TEST(Places, AreTakenUpToTheirNumberAndGivenBack) {
  Wakeup wakeup;
  Places places(2, wakeup);
  auto first = places.take();
  auto second = places.take();
  EXPECT_TRUE(first && second);
  EXPECT_TRUE(places.full());
  EXPECT_FALSE(places.take());
  wakeup.ask();
  first.reset();
  EXPECT_TRUE(readable(wakeup));
  EXPECT_FALSE(places.full());
  const auto third = places.take();
  EXPECT_TRUE(third);
  EXPECT_TRUE(places.full());
}

TEST(Places, AreStalledWhenAllAreTakenAndNoneComesBack) {
  Wakeup wakeup;
  Places places(1, wakeup);
  const std::chrono::milliseconds limit(1);
  std::this_thread::sleep_for(2 * limit);
  EXPECT_FALSE(places.stalled(limit)) << "there is room";
  auto place = places.take();
  EXPECT_FALSE(places.stalled(std::chrono::hours(1)));
  std::this_thread::sleep_for(2 * limit);
  EXPECT_TRUE(places.stalled(limit));
  place.reset();
  EXPECT_FALSE(places.stalled(limit));
}

TEST(Places, OneThatMovesIsGivenBackOnce) {
  Wakeup wakeup;
  Places places(1, wakeup);
  {
    auto place = places.take();
    const std::optional<Places::Place> moved = std::move(place);
    place.reset();  // NOLINT(bugprone-use-after-move): it holds a place that was moved from
    EXPECT_TRUE(places.full());
  }
  EXPECT_FALSE(places.full());
  const auto again = places.take();
  EXPECT_FALSE(places.take()) << "the number did not grow";
}

/// Found in review: listener and token counted them each in its own way.
TEST(Limits, OneOfSeveralWorkersShakesNoHands) {
  const auto shaking = [](unsigned workers, unsigned at_once) {
    Limits limits;
    limits.workers = workers;
    limits.handshakes_at_once = at_once;
    return limits.shaking_hands();
  };
  EXPECT_EQ(shaking(64, 4), 4U);
  EXPECT_EQ(shaking(4, 4), 3U);
  EXPECT_EQ(shaking(4, 64), 3U);
  EXPECT_EQ(shaking(2, 64), 1U);
  EXPECT_EQ(shaking(1, 64), 1U);
}

}  // namespace
}  // namespace estia::http
