// SPDX-License-Identifier: Apache-2.0
#include "server/auth/back_off.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"

namespace estia::auth {
namespace {

using std::chrono::seconds;

const Instant kStart = from_unix_seconds(1'800'000'000);

bool refused(const BackOff& back_off, std::string_view account, std::string_view address,
             Instant now) {
  try {
    back_off.check(account, address, now);
    return false;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::too_many);
    EXPECT_EQ(error.id(), "auth.back_off");
    return true;
  }
}

void fail(BackOff& back_off, int times, std::string_view account = "est/ra",
          std::string_view address = "192.0.2.7", Instant now = kStart) {
  for (int i = 0; i < times; ++i) {
    back_off.failed(account, address, now);
  }
}

TEST(BackOff, RefusesAfterTheLastAllowedFailureUntilTheWindowEnds) {
  BackOff back_off({.failures = 3, .window = seconds(60)});
  fail(back_off, 2);
  EXPECT_FALSE(refused(back_off, "est/ra", "192.0.2.7", kStart));
  fail(back_off, 1);
  EXPECT_TRUE(refused(back_off, "est/ra", "192.0.2.7", kStart));
  EXPECT_TRUE(refused(back_off, "est/ra", "192.0.2.7", kStart + seconds(59)));
  EXPECT_FALSE(refused(back_off, "est/ra", "192.0.2.7", kStart + seconds(60)));
}

/// 64 requests with one code, spent by the first, are no guessing: all are answered alike.
TEST(BackOff, OneGuessRepeatedCountsOnce) {
  BackOff back_off({.failures = 3, .window = seconds(60)});
  const auto guess = [&](std::string_view text) {
    back_off.failed("est/ra", "192.0.2.7", kStart, as_bytes(text));
  };
  for (int i = 0; i < 100; ++i) {
    guess("one");
  }
  EXPECT_FALSE(refused(back_off, "est/ra", "192.0.2.7", kStart));
  guess("two");
  EXPECT_FALSE(refused(back_off, "est/ra", "192.0.2.7", kStart));
  guess("three");
  EXPECT_TRUE(refused(back_off, "est/ra", "192.0.2.7", kStart));
  EXPECT_FALSE(refused(back_off, "est/ra", "192.0.2.7", kStart + seconds(60)));
}

/// Found by a hostile client: failures for names nobody has pushed a refusal out of the table.
TEST(BackOff, WhatRefusesLeavesTheFullTableLast) {
  BackOff back_off({.failures = 2, .window = seconds(60), .entries = 10});
  fail(back_off, 2);
  for (int i = 0; i < 50; ++i) {
    fail(back_off, 1, "est/nobody-" + std::to_string(i), "192.0.2.7", kStart + seconds(1));
  }
  EXPECT_EQ(back_off.size(), 10U);
  EXPECT_TRUE(refused(back_off, "est/ra", "192.0.2.7", kStart + seconds(1)));
}

TEST(BackOff, AnotherAccountAndAnotherSourceAreNotAffected_D16) {
  BackOff back_off({.failures = 3, .window = seconds(60)});
  fail(back_off, 3);
  EXPECT_FALSE(refused(back_off, "est/other", "192.0.2.7", kStart));
  EXPECT_FALSE(refused(back_off, "factory/ra", "192.0.2.7", kStart));
  EXPECT_FALSE(refused(back_off, "est/ra", "192.0.2.8", kStart));
}

TEST(BackOff, SuccessForgetsFailures) {
  BackOff back_off({.failures = 3, .window = seconds(60)});
  fail(back_off, 2);
  back_off.succeeded("est/ra", "192.0.2.7");
  fail(back_off, 2);
  EXPECT_FALSE(refused(back_off, "est/ra", "192.0.2.7", kStart));
}

TEST(BackOff, FailuresOfAnEarlierWindowDoNotCount) {
  BackOff back_off({.failures = 3, .window = seconds(60)});
  fail(back_off, 2);
  fail(back_off, 2, "est/ra", "192.0.2.7", kStart + seconds(60));
  EXPECT_FALSE(refused(back_off, "est/ra", "192.0.2.7", kStart + seconds(60)));
}

TEST(BackOff, AClockSetBackLocksNobodyForLong) {
  BackOff back_off({.failures = 1, .window = seconds(60)});
  fail(back_off, 1);
  EXPECT_FALSE(refused(back_off, "est/ra", "192.0.2.7", kStart - seconds(3600)));
}

TEST(BackOff, TheTableIsBoundedAndTheOldestEntryGoes) {
  BackOff back_off({.failures = 1, .window = seconds(60), .entries = 10});
  fail(back_off, 1, "est/first");
  for (int i = 0; i < 100; ++i) {
    fail(back_off, 1, "est/" + std::to_string(i), "192.0.2.7", kStart + seconds(1));
  }
  EXPECT_EQ(back_off.size(), 10U);
  EXPECT_FALSE(refused(back_off, "est/first", "192.0.2.7", kStart + seconds(1)));
  EXPECT_TRUE(refused(back_off, "est/99", "192.0.2.7", kStart + seconds(1)));
}

TEST(BackOff, ExpiredEntriesMakeRoomFirst) {
  BackOff back_off({.failures = 1, .window = seconds(60), .entries = 3});
  fail(back_off, 1, "a");
  fail(back_off, 1, "b");
  fail(back_off, 1, "c", "192.0.2.7", kStart + seconds(59));
  fail(back_off, 1, "d", "192.0.2.7", kStart + seconds(61));
  EXPECT_EQ(back_off.size(), 2U);
  EXPECT_TRUE(refused(back_off, "c", "192.0.2.7", kStart + seconds(61)));
}

TEST(BackOff, OneSourceIsAnIpv4AddressOrAnIpv6Slash64) {
  EXPECT_EQ(source_prefix("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(source_prefix("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(source_prefix("2001:db8:1:2:3::1"), source_prefix("2001:db8:1:2:ffff::9"));
  EXPECT_NE(source_prefix("2001:db8:1:2::1"), source_prefix("2001:db8:1:3::1"));
  EXPECT_EQ(source_prefix("fe80::1%eth0"), source_prefix("fe80::1"));
  EXPECT_EQ(source_prefix("not an address"), "not an address");
}

}  // namespace
}  // namespace estia::auth
