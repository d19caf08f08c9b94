// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/sessions.h"

#include <gtest/gtest.h>

namespace estia::hsm::faults {
namespace {

constexpr CK_SLOT_ID kSlot = 7;
constexpr CK_SLOT_ID kOtherSlot = 8;

TEST(FaultSessions, ThoseThatAreBeingOpenedCount) {
  Sessions sessions;
  sessions.set_cap({.limit = 2});
  EXPECT_TRUE(sessions.begin_open(kSlot));
  EXPECT_TRUE(sessions.begin_open(kSlot));
  EXPECT_FALSE(sessions.begin_open(kSlot));
  EXPECT_TRUE(sessions.begin_open(kOtherSlot)) << "each slot has a cap of its own";
  sessions.gone(kSlot);  // the module refused it
  EXPECT_TRUE(sessions.begin_open(kSlot));
}

TEST(FaultSessions, OneThatIsBeingClosedKeepsItsPlace) {
  Sessions sessions;
  sessions.set_cap({.limit = 1});
  ASSERT_TRUE(sessions.begin_open(kSlot));
  sessions.opened(kSlot, 1);
  EXPECT_EQ(sessions.begin_close(1), kSlot);
  EXPECT_FALSE(sessions.begin_open(kSlot));
  sessions.gone(kSlot);
  EXPECT_TRUE(sessions.begin_open(kSlot));
}

/// The module closes handle 1, and gives it away again before the closing thread has said so.
TEST(FaultSessions, AHandleThatIsGivenAwayAgainIsNotForgotten) {
  Sessions sessions;
  ASSERT_TRUE(sessions.begin_open(kSlot));
  sessions.opened(kSlot, 1);
  ASSERT_TRUE(sessions.begin_close(1));
  ASSERT_TRUE(sessions.begin_open(kSlot));
  sessions.opened(kSlot, 1);
  sessions.gone(kSlot);
  EXPECT_EQ(sessions.slot_of(1), kSlot);
  EXPECT_EQ(sessions.open(), 1U);
}

TEST(FaultSessions, UnknownOnesAreNobodys) {
  Sessions sessions;
  EXPECT_EQ(sessions.begin_close(5), std::nullopt);
  EXPECT_EQ(sessions.slot_of(5), std::nullopt);
}

TEST(FaultSessions, AllOfASlotGoTogether) {
  Sessions sessions;
  for (const auto& [slot, handle] : {std::pair{kSlot, 1UL}, {kSlot, 2UL}, {kOtherSlot, 3UL}}) {
    ASSERT_TRUE(sessions.begin_open(slot));
    sessions.opened(slot, handle);
  }
  EXPECT_EQ(sessions.one_of_each_slot().size(), 2U);
  sessions.closed_all(kSlot);
  EXPECT_EQ(sessions.one_of_each_slot(),
            (std::map<CK_SLOT_ID, CK_SESSION_HANDLE>{{kOtherSlot, 3}}));
}

}  // namespace
}  // namespace estia::hsm::faults
