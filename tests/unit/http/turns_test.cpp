// SPDX-License-Identifier: Apache-2.0
#include "server/http/turns.h"

#include <gtest/gtest.h>

#include <thread>

namespace estia::http {
namespace {

using std::chrono::milliseconds;

TEST(Turns, AreStalledWhenSomebodyWaitsAndNobodyIsTaken) {
  Turns turns;
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_FALSE(turns.stalled(milliseconds(1))) << "nobody waits";
  turns.waits();
  turns.waits();
  EXPECT_EQ(turns.waiting(), 2U);
  EXPECT_FALSE(turns.stalled(std::chrono::hours(1)));
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_TRUE(turns.stalled(milliseconds(1)));
  turns.taken();
  EXPECT_FALSE(turns.stalled(std::chrono::hours(1)));
  turns.dropped();
  EXPECT_EQ(turns.waiting(), 0U);
}

}  // namespace
}  // namespace estia::http
