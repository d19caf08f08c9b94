// SPDX-License-Identifier: Apache-2.0
#include <future>
#include <thread>

#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

constexpr std::size_t kClients = 64;

class GroupCommitTest : public StoreTest {
 protected:
  /// Until so many writes wait behind the one that is being synced.
  static void await_queued(const Store& store, std::size_t count) {
    while (store.stats().queued < count) {
      std::this_thread::yield();
    }
  }
  /// The store as it is after a power cut now.
  [[nodiscard]] std::unique_ptr<Store> after_power_cut(const std::string& name) {
    std::mt19937 random(1);
    const auto copy = folder() / name;
    std::filesystem::create_directory(copy);
    write_after_power_cut(vfs_.disk(folder()), copy, random);
    return Store::open(copy / "estia.db", clock_);
  }
};

TEST_F(GroupCommitTest, ManyClientsShareOneSync) {
  const auto store = create();
  vfs_.hold_syncs();
  std::thread first([&] { intend(*store, intent_of(0)); });
  vfs_.await_held_sync();
  std::vector<std::thread> clients;
  for (std::size_t i = 1; i <= kClients; ++i) {
    clients.emplace_back([&, i] { intend(*store, intent_of(i)); });
  }
  await_queued(*store, kClients);
  const std::uint64_t before = vfs_.syncs();
  vfs_.release_syncs();
  first.join();
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(vfs_.syncs() - before, 1U) << "64 intents, one sync";
  EXPECT_EQ(store->stats().commits, 2U);
  EXPECT_EQ(store->stats().jobs, kClients + 1);
}

TEST_F(GroupCommitTest, SixtyFourClientsNeedFewerSyncsThanCertificates) {
  constexpr std::size_t kEach = 10;
  const auto store = create();
  const std::uint64_t before = vfs_.syncs();
  in_threads(kClients, [&](std::size_t client) {
    for (std::size_t i = 0; i < kEach; ++i) {
      const std::uint64_t number = client * kEach + i;
      intend(*store, intent_of(number));
      static_cast<void>(commit(*store, serial_of(number)));
    }
  });
  EXPECT_LT(vfs_.syncs() - before, kClients * kEach);
  const auto copy = after_power_cut("cut");
  for (std::uint64_t number = 0; number < kClients * kEach; ++number) {
    const auto record = copy->registry().find(serial_of(number));
    ASSERT_TRUE(record) << number;
    EXPECT_EQ(record->certificate, certificate_of(serial_of(number)));
  }
  EXPECT_EQ(copy->verify_audit_chain(), kClients * kEach * 2);
}

TEST_F(GroupCommitTest, AnIntentReturnsOnlyAfterItsSyncAndIsNotSeenBefore) {
  const auto store = create();
  vfs_.hold_syncs();
  auto answer = std::async(std::launch::async, [&] { intend(*store, intent_of(1)); });
  vfs_.await_held_sync();
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  EXPECT_FALSE(store->registry().find(serial_of(1)));
  EXPECT_EQ(store->verify_audit_chain(), 0U);
  vfs_.release_syncs();
  answer.get();
  EXPECT_TRUE(store->registry().find(serial_of(1)));
  EXPECT_TRUE(after_power_cut("cut")->registry().find(serial_of(1)));
}

TEST_F(GroupCommitTest, EveryKindOfWriteIsOnDiskWhenItReturns) {
  const auto store = create();
  intend(*store, intent_of(1));
  EXPECT_TRUE(after_power_cut("intent")->registry().find(serial_of(1)));
  static_cast<void>(commit(*store, serial_of(1)));
  EXPECT_EQ(after_power_cut("commit")->registry().find(serial_of(1))->state,
            ca::CertificateState::issued);
  store->registry().revoke(serial_of(1), {clock_.now(), 1}, event("certificate.revoked"));
  EXPECT_TRUE(after_power_cut("revoke")->registry().find(serial_of(1))->revocation);
  static_cast<void>(store->configuration().replace(0, "a = 1", {}, {}, event("config.replaced")));
  EXPECT_EQ(after_power_cut("replace")->configuration().load()->version, 1U);
  store->audit_log().append(event("daemon.started"));
  EXPECT_EQ(after_power_cut("audit")->verify_audit_chain(), 5U);
}

TEST_F(GroupCommitTest, AFullQueueIsBusyAndNothingOfItIsLost) {
  const auto store = create({.queue_limit = 4});
  vfs_.hold_syncs();
  std::vector<std::thread> clients;
  clients.emplace_back([&] { intend(*store, intent_of(0)); });
  vfs_.await_held_sync();
  for (std::uint64_t i = 1; i <= 4; ++i) {
    clients.emplace_back([&, i] { intend(*store, intent_of(i)); });
  }
  await_queued(*store, 4);
  const auto one_more = [&] { intend(*store, intent_of(9)); };
  EXPECT_EQ(error_id(one_more), "store.queue_full");
  EXPECT_EQ(error_category(one_more), "busy");
  vfs_.release_syncs();
  for (std::thread& client : clients) {
    client.join();
  }
  for (std::uint64_t i = 0; i <= 4; ++i) {
    EXPECT_TRUE(store->registry().find(serial_of(i))) << i;
  }
  EXPECT_FALSE(store->registry().find(serial_of(9)));
  intend(*store, intent_of(9));
}

TEST_F(GroupCommitTest, AJobThatFailsTakesOnlyItsOwnChangesBack) {
  const auto store = create();
  static_cast<void>(store->configuration().replace(0, "a = 1", {}, {}, event("config.replaced")));
  vfs_.hold_syncs();
  std::vector<std::thread> clients;
  clients.emplace_back([&] { intend(*store, intent_of(0)); });
  vfs_.await_held_sync();
  const std::uint64_t commits = store->stats().commits;
  std::atomic<int> refused = 0;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    clients.emplace_back([&, i] {
      if (i % 2 == 0) {
        intend(*store, intent_of(i));
        return;
      }
      // Inserts the version and one account before the second one is refused.
      const ca::Account account{"est", "ra", {"sha256", Bytes(16, 1), Bytes(32, 2)}};
      refused += error_id([&] {
                   static_cast<void>(store->configuration().replace(1, "a = 2", {account, account},
                                                                    {}, event("config.replaced")));
                 }) == "store.refused";
    });
  }
  await_queued(*store, 20);
  vfs_.release_syncs();
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(store->stats().commits, commits + 2) << "one batch";
  EXPECT_EQ(refused, 10);
  EXPECT_EQ(store->configuration().load()->document, "a = 1");
  EXPECT_EQ(store->verify_audit_chain(), 12U);
  for (std::uint64_t i = 2; i <= 20; i += 2) {
    EXPECT_TRUE(store->registry().find(serial_of(i))) << i;
  }
}

TEST_F(GroupCommitTest, TheLogIsMovedIntoTheDatabaseNowAndThen) {
  const auto store = create({.checkpoint_pages = 50});
  for (std::uint64_t i = 0; i < 100; ++i) {
    intend(*store, intent_of(i));
  }
  EXPECT_GT(store->stats().checkpoints, 1U);
  EXPECT_LT(std::filesystem::file_size(path().string() + "-wal"), 200U * 4096U);
}

}  // namespace
}  // namespace estia::store::test
