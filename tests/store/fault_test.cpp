// SPDX-License-Identifier: Apache-2.0
// Disks that fail, fill up or lose power: an acknowledged write is never lost (T4, T5, T16).
#include <sqlite3.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

/// What the store has said is done.
struct Acknowledged {
  std::set<std::uint64_t> intended;
  std::set<std::uint64_t> issued;
};

void expect_all_there(Store& store, const Acknowledged& done, const std::string& where) {
  for (const std::uint64_t number : done.intended) {
    ASSERT_TRUE(store.registry().find(serial_of(number))) << where << ", intent " << number;
  }
  for (const std::uint64_t number : done.issued) {
    const auto record = store.registry().find(serial_of(number));
    ASSERT_TRUE(record) << where;
    ASSERT_EQ(record->certificate, certificate_of(serial_of(number))) << where;
  }
}

class FaultTest : public StoreTest {
 protected:
  FaultTest() { vfs_.only_model_syncs(true); }
  ~FaultTest() override { vfs_.only_model_syncs(false); }
  FaultTest(const FaultTest&) = delete;
  FaultTest& operator=(const FaultTest&) = delete;
  FaultTest(FaultTest&&) = delete;
  FaultTest& operator=(FaultTest&&) = delete;

  static constexpr std::uint64_t kCertificates = 6;
  static constexpr StoreOptions kFrequentCheckpoints{.checkpoint_pages = 12};

  /// One certificate; every failure must say that it is the store's.
  static void issue(Store& store, std::uint64_t number, Acknowledged& done) {
    try {
      intend(store, intent_of(number));
      done.intended.insert(number);
      static_cast<void>(commit(store, serial_of(number)));
      done.issued.insert(number);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::store) << error.id() << ' ' << error.detail();
    }
  }

  void remove_store() {
    for (const char* suffix : {"", "-wal", "-shm", "-lock"}) {
      std::filesystem::remove(path().string() + suffix);
    }
  }

  [[nodiscard]] std::filesystem::path cut_power(std::mt19937& random) {
    const auto copy = folder() / "cut";
    std::filesystem::remove_all(copy);
    std::filesystem::create_directory(copy);
    write_after_power_cut(vfs_.disk(folder()), copy, random);
    return copy / "estia.db";
  }

  /// Issues with the n-th operation failing, closes, and looks: once as the page cache shows the
  /// files, once as a power cut leaves them. False when n is beyond the last operation.
  bool survives_fault_at(std::uint64_t n, ShimVfs::Fault fault, bool for_good) {
    const std::string where = "operation " + std::to_string(n);
    std::mt19937 random(static_cast<std::uint32_t>(n));
    Acknowledged done;
    auto store = create(kFrequentCheckpoints);
    vfs_.fail_at(n, fault, for_good);
    for (std::uint64_t i = 0; i < kCertificates; ++i) {
      issue(*store, i, done);
    }
    expect_all_there(*store, done, where + ", still open");
    const bool refused = store->stats().failed;
    if (refused) {
      EXPECT_EQ(error_id([&] { intend(*store, intent_of(99)); }), "store.failed") << where;
    }
    store.reset();
    const bool happened = vfs_.fault_happened();
    vfs_.fail_at(0, fault, false);
    expect_all_there(*Store::open(cut_power(random), clock_), done, where + ", power cut");
    expect_all_there(*open(), done, where + ", reopened");
    expect_all_there(*Store::open(cut_power(random), clock_), done, where + ", reopened and cut");
    remove_store();
    return happened;
  }

  /// Every n from the first operation to the last. Returns how many there are.
  std::uint64_t survive_each(ShimVfs::Fault fault, bool for_good) {
    std::uint64_t n = 1;
    while (!HasFatalFailure() && !HasNonfatalFailure() && survives_fault_at(n, fault, for_good)) {
      vfs_.reset();
      ++n;
    }
    vfs_.reset();
    return n - 1;
  }
};

TEST_F(FaultTest, AnyWriteOrSyncMayFailOnce) {
  EXPECT_GT(survive_each(ShimVfs::Fault::io_error, false), 60U);
}

TEST_F(FaultTest, TheDiskMayFailForGoodAtAnyMoment) {
  EXPECT_GT(survive_each(ShimVfs::Fault::io_error, true), 60U);
}

TEST_F(FaultTest, TheDiskMayFillUpAtAnyMoment) {
  EXPECT_GT(survive_each(ShimVfs::Fault::disk_full, true), 50U);
}

TEST_F(FaultTest, AfterAFailedSyncNothingIsWrittenUntilReopened) {
  auto store = create();
  vfs_.fail_at(1, ShimVfs::Fault::io_error, false);
  EXPECT_EQ(error_id([&] { intend(*store, intent_of(1)); }), "store.io");
  const std::uint64_t syncs = vfs_.syncs();
  EXPECT_EQ(error_id([&] { intend(*store, intent_of(2)); }), "store.failed");
  EXPECT_EQ(error_id([&] { store->audit_log().append(event("daemon.started")); }), "store.failed");
  EXPECT_EQ(error_category([&] { intend(*store, intent_of(2)); }), "store");
  EXPECT_EQ(vfs_.syncs(), syncs);
  EXPECT_EQ(store->stats().failures, 1U);
  EXPECT_FALSE(store->registry().find(serial_of(2))) << "reading goes on";
  store.reset();
  store = open();
  intend(*store, intent_of(2));
}

TEST_F(FaultTest, WhatReopeningShowsSurvivesThePowerCutAfterIt) {
  auto store = create();
  intend(*store, intent_of(1));  // the log has its header
  vfs_.fail_at(1, ShimVfs::Fault::sync_error, false);
  EXPECT_EQ(error_id([&] { intend(*store, intent_of(2)); }), "store.io");
  EXPECT_FALSE(store->registry().find(serial_of(2)));
  store.reset();
  store = open();
  // All of it was written, so it counts as issued; but only the page cache had it.
  EXPECT_TRUE(store->registry().find(serial_of(2)));
  std::mt19937 random(1);
  const auto after = Store::open(cut_power(random), clock_);
  EXPECT_TRUE(after->registry().find(serial_of(2)));
  EXPECT_EQ(after->verify_audit_chain(), 2U);
}

TEST_F(FaultTest, AFailedCommitFailsEveryoneInItsBatch) {
  auto store = create();
  vfs_.hold_syncs();
  std::atomic<int> failed = 0;
  std::thread first([&] { intend(*store, intent_of(0)); });
  vfs_.await_held_sync();
  std::vector<std::thread> clients;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    clients.emplace_back(
        [&, i] { failed += error_id([&] { intend(*store, intent_of(i)); }) == "store.io"; });
  }
  while (store->stats().queued < 10) {
    std::this_thread::yield();
  }
  // The held sync is past its fault already: the next operation is the second batch's.
  vfs_.fail_after_held_sync();
  vfs_.release_syncs();
  first.join();
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(failed, 10);
  store.reset();
  EXPECT_TRUE(open()->registry().find(serial_of(0)));
}

TEST_F(FaultTest, AFullDiskRefusesAndGoesOnWhenThereIsRoomAgain) {
  const auto store = create();
  Acknowledged done;
  issue(*store, 1, done);
  vfs_.fail_at(1, ShimVfs::Fault::disk_full, true);
  for (std::uint64_t i = 2; i < 6; ++i) {
    EXPECT_EQ(error_id([&] { intend(*store, intent_of(i)); }), "store.full");
  }
  EXPECT_FALSE(store->stats().failed);
  EXPECT_TRUE(store->registry().find(serial_of(1)));
  vfs_.reset();
  for (std::uint64_t i = 2; i < 6; ++i) {
    issue(*store, i, done);
  }
  EXPECT_EQ(done.issued.size(), 5U);
  EXPECT_EQ(store->verify_audit_chain(), 10U);
}

TEST_F(FaultTest, AnotherWriterIsWaitedForNotForEver) {
  const auto store = create();
  sqlite3* opened = nullptr;
  ASSERT_EQ(::sqlite3_open(path().c_str(), &opened), SQLITE_OK);
  const std::unique_ptr<sqlite3, decltype(&::sqlite3_close)> other(opened, ::sqlite3_close);
  ASSERT_EQ(::sqlite3_exec(opened, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto action = [&] { intend(*store, intent_of(1)); };
  EXPECT_EQ(error_id(action), "store.busy");
  ASSERT_EQ(::sqlite3_exec(opened, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(error_id(action), "");
  EXPECT_EQ(store->verify_audit_chain(), 1U);
}

std::vector<sqlite3*> opened_connections;

int remember_connection(sqlite3* connection, const char**, const sqlite3_api_routines*) {
  opened_connections.push_back(connection);
  return SQLITE_OK;
}

TEST_F(FaultTest, ADatabaseAtItsLimitOfPagesRefusesAndGoesOnWhenItIsRaised) {
  opened_connections.clear();
  // SQLite's own signature of an extension's entry point.
  const auto entry = reinterpret_cast<void (*)()>(&remember_connection);
  ASSERT_EQ(::sqlite3_auto_extension(entry), SQLITE_OK);
  auto store = create();
  ASSERT_EQ(::sqlite3_cancel_auto_extension(entry), 1);
  sqlite3* const writer = opened_connections.at(0);
  const auto limit = [&](const char* pages) {
    const std::string sql = std::string("PRAGMA max_page_count = ") + pages;
    ASSERT_EQ(::sqlite3_exec(writer, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  };
  Acknowledged done;
  limit("60");
  std::uint64_t number = 0;
  std::string id;
  for (; id.empty() && number < 1000; ++number) {
    id = error_id([&] {
      intend(*store, intent_of(number));
      done.intended.insert(number);
    });
  }
  EXPECT_EQ(id, "store.full");
  EXPECT_GT(done.intended.size(), 3U);
  EXPECT_EQ(error_id([&] { intend(*store, intent_of(5000)); }), "store.full");
  EXPECT_FALSE(store->stats().failed);
  expect_all_there(*store, done, "full");
  limit("100000");
  issue(*store, 5000, done);
  EXPECT_TRUE(done.issued.contains(5000));
  store.reset();
  store = open();
  expect_all_there(*store, done, "reopened");
  EXPECT_EQ(store->verify_audit_chain(), done.intended.size() + 1);
}

TEST_F(FaultTest, APowerCutAtAnyMomentKeepsWhatWasAcknowledged) {
  struct Cut {
    Acknowledged done;
    DiskImage disk;
  };
  std::mutex mutex;  // guards done, cuts and random
  Acknowledged done;
  std::vector<Cut> cuts;
  std::mt19937 random(7);
  auto store = create(kFrequentCheckpoints);
  vfs_.observe([&] {
    const std::lock_guard lock(mutex);
    if (random() % 2 == 0) {
      // Acknowledged first, disk second: the disk may know more, never less.
      Acknowledged so_far = done;
      cuts.push_back({std::move(so_far), vfs_.disk(folder())});
    }
  });
  in_threads(4, [&](std::size_t client) {
    for (std::uint64_t i = 0; i < 15; ++i) {
      const std::uint64_t number = client * 100 + i;
      intend(*store, intent_of(number));
      {
        const std::lock_guard lock(mutex);
        done.intended.insert(number);
      }
      static_cast<void>(commit(*store, serial_of(number)));
      const std::lock_guard lock(mutex);
      done.issued.insert(number);
    }
  });
  store.reset();
  vfs_.observe(nullptr);
  EXPECT_GT(cuts.size(), 100U);
  for (std::size_t i = 0; i < cuts.size() && !HasFatalFailure(); ++i) {
    const auto copy = folder() / ("cut-" + std::to_string(i));
    std::filesystem::create_directory(copy);
    write_after_power_cut(cuts[i].disk, copy, random);
    expect_all_there(*Store::open(copy / "estia.db", clock_), cuts[i].done,
                     "cut " + std::to_string(i));
    std::filesystem::remove_all(copy);
  }
}

}  // namespace
}  // namespace estia::store::test
