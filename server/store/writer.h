// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/ca/audit.h"
#include "server/store/audit_chain.h"
#include "server/store/database.h"
#include "server/store/sql_error.h"

namespace estia::store {

/// What a job may do inside the open transaction.
class Transaction final {
 public:
  Transaction(Database& database, AuditChain& chain) : database_(database), chain_(chain) {}
  [[nodiscard]] Query query(std::string_view sql) { return database_.query(sql); }
  void audit(const ca::AuditEvent& event) { chain_.append(database_, event); }

 private:
  Database& database_;
  AuditChain& chain_;
};

/// The only writer (D5). One thread takes what is queued, runs it job after job inside one
/// transaction, commits with one sync, and only then tells those who wait. A job that throws takes
/// back its own changes only; a failing commit fails the whole batch. After an input/output error
/// nothing more is written until the store is opened again: a sync that failed once may succeed
/// the second time without the data being on disk.
class Writer final {
 public:
  struct Counts {
    std::uint64_t commits = 0;      ///< batches on disk
    std::uint64_t jobs = 0;         ///< jobs in them
    std::uint64_t failures = 0;     ///< batches lost
    std::uint64_t checkpoints = 0;  ///< times the log was moved into the database
    std::size_t queued = 0;
    bool failed = false;  ///< nothing is written any more
  };

  struct Limits {
    std::size_t queue;     ///< jobs that may wait
    int checkpoint_pages;  ///< length of the log that makes a checkpoint due
  };

  Writer(std::unique_ptr<Database> database, const std::string& node, Limits limits);
  /// Finishes what is queued.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  Writer(Writer&&) = delete;
  Writer& operator=(Writer&&) = delete;

  /// Runs `work(Transaction&)` and returns its result once it is durable. Throws what the work
  /// threw, Error{busy, "store.queue_full"}, or Error{store, ...} when the commit failed or the
  /// store no longer writes ("store.failed"). Any thread but the writer's own.
  template <class Work>
  auto transact(Work&& work) {
    using Result = std::invoke_result_t<Work&, Transaction&>;
    if constexpr (std::is_void_v<Result>) {
      run([&work](Transaction& transaction) { work(transaction); });
    } else {
      std::optional<Result> result;
      run([&work, &result](Transaction& transaction) { result.emplace(work(transaction)); });
      return std::move(*result);
    }
  }

  [[nodiscard]] Counts counts() const;

 private:
  /// Why a batch was lost. Each of its jobs makes an exception of its own from it.
  struct Failure {
    ErrorCode code;
    std::string id;
    std::string detail;
  };
  struct Job {
    std::function<void(Transaction&)> work;
    std::promise<void> settled;
    std::exception_ptr own_failure;
    std::optional<Failure> batch_failure;
  };
  using Batch = std::vector<std::shared_ptr<Job>>;

  void run(std::function<void(Transaction&)> work);
  void serve();
  [[nodiscard]] Batch take();
  [[nodiscard]] std::optional<Failure> commit(const Batch& batch);
  void run_jobs(const Batch& batch);
  void run_job(Job& job);
  [[nodiscard]] Failure give_up(Failure failure, Reach reach);
  void checkpoint_if_due();

  const Limits limits_;
  // The writer thread's own
  std::unique_ptr<Database> database_;
  AuditChain chain_;

  mutable std::mutex mutex_;  // guards queue_ and stopping_
  std::condition_variable arrived_;
  std::deque<std::shared_ptr<Job>> queue_;
  bool stopping_ = false;

  std::atomic<bool> failed_{false};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> jobs_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<std::uint64_t> checkpoints_{0};
  std::thread thread_;  // last: it uses everything above
};

}  // namespace estia::store
