// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/clock.h"

#include <gtest/gtest.h>

#include <limits>

namespace estia {
namespace {

constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();

TEST(Clock, TextIsUtcToTheSecond) {
  EXPECT_EQ(utc_text(from_unix_seconds(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(from_unix_millis(1'764'180'997'999)), "2025-11-26T18:16:37Z");
}

TEST(Clock, SecondsAndMillisecondsComeBack) {
  for (const std::int64_t at : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1},
                                std::int64_t{2524607999}, std::int64_t{2524608000}}) {
    EXPECT_EQ(unix_seconds(from_unix_seconds(at)), at);
    EXPECT_EQ(unix_millis(from_unix_millis(at * 1000 + 7)), at * 1000 + 7);
  }
}

TEST(Clock, AYearPastTheLastInstantIsTheLastInstant) {
  const Instant end = from_unix_seconds(253402300799);  // 99991231235959Z
  EXPECT_GT(unix_seconds(end), 9000000000);
  EXPECT_EQ(end, from_unix_seconds(kLast));
  EXPECT_LT(from_unix_seconds(kFirst), from_unix_seconds(0));
  EXPECT_GE(from_unix_millis(kLast), end);
  EXPECT_LE(from_unix_millis(kFirst), from_unix_seconds(kFirst));
}

TEST(Clock, TheSystemClockDoesNotStandAtTheEpoch) {
  EXPECT_GT(unix_seconds(SystemClock().now()), 1700000000);
}

}  // namespace
}  // namespace estia
