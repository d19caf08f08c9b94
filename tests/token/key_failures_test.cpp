// SPDX-License-Identifier: Apache-2.0
#include "hsm/key_failures.h"

#include <gtest/gtest.h>

namespace estia::hsm {
namespace {

using std::chrono::seconds;

/// Found by a mutant: each rest could have been as long as the first.
TEST(KeyFailures, EachRestIsTwiceAsLongUpToHalfAMinute) {
  KeyFailures failures;
  for (const int rest : {1, 2, 4, 8, 16, 30, 30, 30}) {
    EXPECT_EQ(failures.next_rest(seconds(1)), seconds(rest));
  }
}

TEST(KeyFailures, ThreeAreTooManyUnlessTheyCameAllAtOnce) {
  KeyFailures failures;
  EXPECT_FALSE(failures.add(seconds(0)));
  EXPECT_FALSE(failures.add(seconds(0)));
  EXPECT_TRUE(failures.add(seconds(0)));
  KeyFailures burst;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(burst.add(seconds(3600)));
  }
}

}  // namespace
}  // namespace estia::hsm
