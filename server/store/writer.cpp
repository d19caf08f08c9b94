// SPDX-License-Identifier: Apache-2.0
#include "server/store/writer.h"

#include <algorithm>

#include "crypto/base/error.h"

namespace estia::store {
namespace {

constexpr std::size_t kLargestBatch = 512;

}  // namespace

Writer::Writer(std::unique_ptr<Database> database, const std::string& node, Limits limits)
    : limits_(limits), database_(std::move(database)), chain_(*database_, node) {
  thread_ = std::thread([this] { serve(); });
}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

void Writer::run(std::function<void(Transaction&)> work) {
  auto job = std::make_shared<Job>();
  job->work = std::move(work);
  std::future<void> settled = job->settled.get_future();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || failed_) {
      throw Error(ErrorCode::store, "store.failed", "the CA cannot use its store at the moment",
                  stopping_ ? "the store is being closed"
                            : "an earlier write failed; nothing is written until a restart");
    }
    if (queue_.size() >= limits_.queue) {
      throw Error(ErrorCode::busy, "store.queue_full", "the CA is busy; retry later");
    }
    queue_.push_back(job);
  }
  arrived_.notify_one();
  settled.get();
  if (job->batch_failure) {
    throw Error(job->batch_failure->code, job->batch_failure->id,
                "the CA cannot use its store at the moment", job->batch_failure->detail);
  }
  if (job->own_failure) {
    // Moved out: the last owner of the exception is the thread that handles it.
    std::rethrow_exception(std::exchange(job->own_failure, nullptr));
  }
}

Writer::Counts Writer::counts() const {
  Counts counts{.commits = commits_,
                .jobs = jobs_,
                .failures = failures_,
                .checkpoints = checkpoints_,
                .queued = 0,
                .failed = failed_};
  const std::lock_guard lock(mutex_);
  counts.queued = queue_.size();
  return counts;
}

void Writer::serve() {
  for (Batch batch = take(); !batch.empty(); batch = take()) {
    const std::optional<Failure> failure = commit(batch);
    // Counted first: who has an answer sees it in the counts.
    (failure ? failures_ : commits_) += 1;
    jobs_ += failure ? 0 : batch.size();
    for (const auto& job : batch) {
      job->batch_failure = failure;
      job->settled.set_value();
    }
    if (!failure) {
      checkpoint_if_due();
    }
  }
}

Writer::Batch Writer::take() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), kLargestBatch));
  Batch batch(std::make_move_iterator(queue_.begin()),
              std::make_move_iterator(queue_.begin() + count));
  queue_.erase(queue_.begin(), queue_.begin() + count);
  return batch;
}

std::optional<Writer::Failure> Writer::commit(const Batch& batch) {
  if (failed_) {
    return Failure{ErrorCode::store, "store.failed", "an earlier write failed"};
  }
  const AuditHead before = chain_.head();
  try {
    database_->run("BEGIN IMMEDIATE");
    run_jobs(batch);
    if (chain_.head().sequence != before.sequence) {
      chain_.save_head(*database_);
    }
    database_->run("COMMIT");
    return std::nullopt;
  } catch (const SqlError& error) {
    chain_.restore(before);
    return give_up({error.code(), error.id(), error.detail()}, error.reach());
  } catch (const std::exception& error) {
    chain_.restore(before);
    return give_up({ErrorCode::internal, "store.refused", error.what()}, Reach::batch);
  }
}

void Writer::run_jobs(const Batch& batch) {
  for (const auto& job : batch) {
    run_job(*job);
  }
}

void Writer::run_job(Job& job) {
  const AuditHead before = chain_.head();
  database_->run("SAVEPOINT job");
  try {
    Transaction transaction(*database_, chain_);
    job.work(transaction);
  } catch (const SqlError& error) {
    // Some errors end the whole transaction, whatever they are about.
    if (error.reach() != Reach::job || !database_->in_transaction()) {
      throw;
    }
    job.own_failure = std::current_exception();
  } catch (...) {
    job.own_failure = std::current_exception();
  }
  if (job.own_failure) {
    chain_.restore(before);
    database_->run("ROLLBACK TO job");
  }
  database_->run("RELEASE job");
}

Writer::Failure Writer::give_up(Failure failure, Reach reach) {
  try {
    if (database_->in_transaction()) {
      database_->run("ROLLBACK");
    }
  } catch (const SqlError& error) {
    failure.detail += "; then " + error.detail();
    reach = Reach::store;
  }
  if (reach == Reach::store) {
    failed_ = true;
    // Closing would sync again, and take what failed once for done.
    database_->keep_log_on_close();
  }
  return failure;
}

void Writer::checkpoint_if_due() {
  if (database_->log_pages() < limits_.checkpoint_pages) {
    return;
  }
  try {
    database_->checkpoint(Database::Checkpoint::passive);
    checkpoints_ += 1;
  } catch (const SqlError& error) {
    static_cast<void>(give_up({error.code(), error.id(), error.detail()}, error.reach()));
  }
}

}  // namespace estia::store
