// SPDX-License-Identifier: Apache-2.0
// A process that is killed while it issues: whatever it said is done is found afterwards (T1).
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <thread>

#include "crypto/base/random.h"
#include "tests/store/fixture.h"

extern char** environ;

namespace estia::store::test {
namespace {

constexpr const char* kStoreVariable = "ESTIA_CRASH_TEST_STORE";
constexpr int kPipe = 3;  // the child's descriptor for reports
constexpr std::size_t kThreads = 16;
constexpr int kRounds = 30;

struct Report {
  char kind;  // 'i' intent recorded, 'c' result recorded
  std::array<std::uint8_t, 20> serial;
};

void report(char kind, const Bytes& serial) {
  Report line{kind, {}};
  std::copy(serial.begin(), serial.end(), line.serial.begin());
  // Smaller than PIPE_BUF: never mixed with another thread's.
  if (::write(kPipe, &line, sizeof(line)) != static_cast<ssize_t>(sizeof(line))) {
    ::_exit(2);
  }
}

ca::Intent random_intent() {
  Bytes serial(20);
  random_fill(serial);
  ca::Intent intent = intent_of(serial[7]);
  intent.serial = serial;
  return intent;
}

/// Not a test of its own: what CrashTest runs in another process.
TEST(CrashChild, DISABLED_IssuesUntilItIsKilled) {
  const char* path = ::getenv(kStoreVariable);
  ASSERT_NE(path, nullptr);
  const SystemClock clock;
  const auto store = Store::open(path, clock, {.checkpoint_pages = 100});
  in_threads(kThreads, [&](std::size_t) {
    for (;;) {
      const ca::Intent intent = random_intent();
      const auto outcome = store->registry().intend(intent, event("certificate.intent"));
      if (!std::holds_alternative<ca::Recorded>(outcome)) {
        ::_exit(3);
      }
      report('i', intent.serial);
      static_cast<void>(store->registry().commit(intent.serial, certificate_of(intent.serial),
                                                 event("certificate.issued")));
      report('c', intent.serial);
    }
  });
}

class CrashTest : public StoreTest {
 protected:
  /// Starts the child, reads until it has reported `kill_after` times, kills it, reads the rest.
  void run_and_kill(std::size_t kill_after) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const pid_t child = start_child(ends[1]);
    ::close(ends[1]);
    ASSERT_GT(child, 0);
    std::size_t seen = 0;
    Report line{};
    while (::read(ends[0], &line, sizeof(line)) == static_cast<ssize_t>(sizeof(line))) {
      Bytes serial(line.serial.begin(), line.serial.end());
      (line.kind == 'c' ? issued_ : intended_).insert(std::move(serial));
      if (++seen == kill_after) {
        ASSERT_EQ(::kill(child, SIGKILL), 0);
      }
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
  }

  void expect_nothing_lost(const Store& store, ca::Registry& registry) const {
    for (const Bytes& serial : intended_) {
      ASSERT_TRUE(registry.find(serial)) << to_hex(serial);
    }
    for (const Bytes& serial : issued_) {
      const auto record = registry.find(serial);
      ASSERT_TRUE(record) << to_hex(serial);
      ASSERT_EQ(record->certificate, certificate_of(serial));
    }
    std::set<Bytes> open;
    for (const ca::CertificateRecord& record : registry.open_intents()) {
      open.insert(record.serial);
      ASSERT_FALSE(issued_.contains(record.serial)) << to_hex(record.serial);
    }
    ASSERT_EQ(static_cast<std::int64_t>(open.size()),
              sql_integer(path(), "SELECT count(*) FROM certificate WHERE state = 'intended'"));
    ASSERT_EQ(static_cast<std::int64_t>(store.verify_audit_chain()),
              sql_integer(path(), "SELECT count(*) + sum(state = 'issued') FROM certificate"));
  }

  std::set<Bytes> intended_;
  std::set<Bytes> issued_;

 private:
  [[nodiscard]] pid_t start_child(int report_end) const {
    ::setenv(kStoreVariable, path().c_str(), 1);
    std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    std::string filter = "--gtest_filter=CrashChild.*";
    std::string disabled = "--gtest_also_run_disabled_tests";
    std::array<char*, 4> arguments{self.data(), filter.data(), disabled.data(), nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, report_end, kPipe);
    pid_t child = -1;
    const int rc =
        ::posix_spawn(&child, self.c_str(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    return rc == 0 ? child : -1;
  }
};

TEST_F(CrashTest, WhatAKilledProcessAcknowledgedIsThere) {
  static_cast<void>(create());
  std::mt19937 random(20241124);
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_NO_FATAL_FAILURE(run_and_kill(1 + random() % 400)) << "round " << round;
    const auto store = open();
    ASSERT_NO_FATAL_FAILURE(expect_nothing_lost(*store, store->registry())) << "round " << round;
  }
  EXPECT_GT(issued_.size(), 100U);
  EXPECT_GT(sql_integer(path(), "SELECT count(*) FROM certificate WHERE state = 'intended'"), 0);
}

}  // namespace
}  // namespace estia::store::test
