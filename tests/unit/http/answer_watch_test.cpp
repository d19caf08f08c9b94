// SPDX-License-Identifier: Apache-2.0
// The two stages of work that does not come back, and what ends them.
#include "server/http/answer_watch.h"

#include <gtest/gtest.h>

#include <atomic>

namespace estia::http {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kNever{std::chrono::hours(1)};
constexpr milliseconds kSoon{20};

template <class Condition>
void wait_for(const Condition& condition) {
  while (!condition()) {  // ctest's limit ends this
    std::this_thread::sleep_for(milliseconds(1));
  }
}

/// A worker, with what it is told.
struct Worker {
  explicit Worker(Places& workers) : place(workers.take()) {}

  [[nodiscard]] AnswerWatch::Late late() {
    return {.replace =
                [this](Places::Place spare) {
                  place = std::move(spare);
                  ++replaced;
                },
            .give_up =
                [this](bool with_place) {
                  given_up_replaced = with_place;
                  ++given_up;
                }};
  }

  std::optional<Places::Place> place;
  std::atomic<int> replaced{0};
  std::atomic<int> given_up{0};
  std::atomic<bool> given_up_replaced{false};
};

class AnswerWatches : public ::testing::Test {
 protected:
  Wakeup wakeup_;
  Places workers_{2, wakeup_};
  Places spares_{1, wakeup_};
};

/// Found in review: the place was kept until the work was given up, a minute later, and nobody
/// else was served meanwhile.
TEST_F(AnswerWatches, WhatIsLateIsReplacedFirstAndInTimeStill) {
  Worker worker(workers_);
  const Worker other(workers_);
  ASSERT_TRUE(workers_.full());
  AnswerWatch watch({.replace = kSoon, .give_up = kNever}, spares_);
  AnswerWatch::Watched watched(watch, worker.late());
  wait_for([&] { return worker.replaced == 1; });
  EXPECT_FALSE(workers_.full()) << "another worker may have it";
  EXPECT_TRUE(spares_.full());
  EXPECT_TRUE(watched.in_time());
  EXPECT_EQ(worker.given_up, 0);
  worker.place.reset();
  EXPECT_FALSE(spares_.full()) << "for the next one";
  const auto again = workers_.take();
  EXPECT_TRUE(again);
  EXPECT_FALSE(workers_.take()) << "it was given back once";
}

TEST_F(AnswerWatches, WhatIsLaterStillIsGivenUpAndKnowsIt) {
  Worker worker(workers_);
  AnswerWatch watch({.replace = kSoon, .give_up = 2 * kSoon}, spares_);
  AnswerWatch::Watched watched(watch, worker.late());
  wait_for([&] { return worker.given_up == 1; });
  EXPECT_EQ(worker.replaced, 1);
  EXPECT_TRUE(worker.given_up_replaced);
  EXPECT_FALSE(watched.in_time());
  EXPECT_FALSE(watched.in_time()) << "however often it asks";
}

TEST_F(AnswerWatches, WhatIsOverHearsNothing) {
  Worker before(workers_);
  AnswerWatch watch({.replace = kSoon, .give_up = 2 * kSoon}, spares_);
  {
    AnswerWatch::Watched watched(watch, before.late());
    EXPECT_TRUE(watched.in_time() || before.given_up == 1);
  }
  const int replaced = before.replaced;
  const int given_up = before.given_up;
  before.place.reset();
  {
    Worker later(workers_);
    const AnswerWatch::Watched watched(watch, later.late());
    wait_for([&] { return later.given_up == 1; });  // its turn was after that of `before`
  }
  EXPECT_EQ(before.replaced, replaced);
  EXPECT_EQ(before.given_up, given_up);
}

/// The threads of a process are not without end. Whoever was not replaced is told all the same.
TEST_F(AnswerWatches, NoMoreAreReplacedThanThereAreSpares) {
  Worker first(workers_);
  Worker second(workers_);
  AnswerWatch watch({.replace = kSoon, .give_up = 5 * kSoon}, spares_);
  AnswerWatch::Watched one(watch, first.late());
  AnswerWatch::Watched two(watch, second.late());
  wait_for([&] { return first.given_up == 1 && second.given_up == 1; });
  EXPECT_EQ(first.replaced, 1);
  EXPECT_EQ(second.replaced, 0);
  EXPECT_FALSE(second.given_up_replaced);
  const auto free = workers_.take();
  EXPECT_TRUE(free);
  EXPECT_TRUE(workers_.full());
}

/// One that was late for the only spare place has it as soon as it is given up.
TEST_F(AnswerWatches, ASpareThatComesBackIsUsedAgain) {
  Worker first(workers_);
  Worker second(workers_);
  AnswerWatch watch({.replace = kSoon, .give_up = std::chrono::seconds(2)}, spares_);
  std::optional<AnswerWatch::Watched> one(std::in_place, watch, first.late());
  AnswerWatch::Watched two(watch, second.late());
  wait_for([&] { return first.replaced == 1; });
  one.reset();
  first.place.reset();
  wait_for([&] { return second.given_up == 1; });
  EXPECT_EQ(second.replaced, 1);
  EXPECT_TRUE(second.given_up_replaced);
}

/// Nobody tells the watch that work begins while it waits for older work.
TEST_F(AnswerWatches, WorkThatBeginsWhileOlderWorkIsLateIsReplacedInItsTurn) {
  Places spares(2, wakeup_);
  Worker old(workers_);
  Worker young(workers_);
  AnswerWatch watch({.replace = kSoon, .give_up = kNever}, spares);
  const AnswerWatch::Watched one(watch, old.late());
  wait_for([&] { return old.replaced == 1; });
  const AnswerWatch::Watched two(watch, young.late());
  wait_for([&] { return young.replaced == 1; });
  EXPECT_EQ(old.given_up + young.given_up, 0);
}

}  // namespace
}  // namespace estia::http
