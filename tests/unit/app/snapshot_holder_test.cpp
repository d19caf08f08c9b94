// SPDX-License-Identifier: Apache-2.0
#include "server/app/snapshot_holder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace estia::app {
namespace {

std::shared_ptr<const ca::Snapshot> version(std::uint64_t number) {
  auto snapshot = std::make_shared<ca::Snapshot>();
  snapshot->version = number;
  return snapshot;
}

TEST(SnapshotHolder, ARequestKeepsWhatItStartedWith_D7) {
  SnapshotHolder holder(version(1));
  const auto held = holder.current();
  holder.publish(version(2));
  EXPECT_EQ(held->version, 1U);
  EXPECT_EQ(holder.current()->version, 2U);
}

TEST(SnapshotHolder, TellsWhetherAnEarlierOneIsInUse) {
  SnapshotHolder holder(version(1));
  holder.publish(version(2));
  EXPECT_FALSE(holder.earlier_in_use());
  auto second = holder.current();
  EXPECT_FALSE(holder.earlier_in_use()) << "it is in force";
  holder.publish(version(3));
  holder.publish(version(4));
  EXPECT_TRUE(holder.earlier_in_use());
  second.reset();
  EXPECT_FALSE(holder.earlier_in_use());
}

TEST(SnapshotHolder, ReadersSeeWholeSnapshotsInOrderWhileOneIsPublished) {
  constexpr std::uint64_t kLast = 2000;
  SnapshotHolder holder(version(0));
  std::atomic<int> out_of_order = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      for (std::uint64_t seen = 0; seen < kLast;) {
        const std::uint64_t next = holder.current()->version;
        out_of_order += next < seen ? 1 : 0;
        seen = next;
      }
    });
  }
  for (std::uint64_t i = 1; i <= kLast; ++i) {
    holder.publish(version(i));
  }
  for (std::thread& reader : readers) {
    reader.join();
  }
  EXPECT_EQ(out_of_order, 0);
}

}  // namespace
}  // namespace estia::app
