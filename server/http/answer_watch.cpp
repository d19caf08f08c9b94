// SPDX-License-Identifier: Apache-2.0
#include "server/http/answer_watch.h"

#include <utility>

namespace estia::http {

struct AnswerWatch::Entry {
  std::chrono::steady_clock::time_point end;
  bool listed = true;  ///< its end is still waited for; guarded by the watch's mutex
  std::mutex mutex{};  ///< guards what follows: who is first, the worker or its watch
  GiveUp give_up;
  bool over = false;
  bool given_up = false;
  bool spare = false;  ///< another worker has its place
};

AnswerWatch::AnswerWatch(std::chrono::milliseconds limit, std::size_t most_spare)
    : limit_(limit), most_spare_(most_spare), thread_([this] { run(); }) {}

AnswerWatch::~AnswerWatch() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

AnswerWatch::Watched::Watched(AnswerWatch& watch, GiveUp give_up)
    : watch_(watch), entry_(std::make_shared<Entry>()) {
  entry_->end = std::chrono::steady_clock::now() + watch_.limit_;
  entry_->give_up = std::move(give_up);
  const std::lock_guard lock(watch_.mutex_);
  place_ = watch_.entries_.insert(watch_.entries_.end(), entry_);
}

bool AnswerWatch::Watched::in_time() noexcept {
  const std::lock_guard entry_lock(entry_->mutex);
  if (!std::exchange(entry_->over, true)) {
    const std::lock_guard lock(watch_.mutex_);
    if (entry_->listed) {
      watch_.entries_.erase(place_);
    }
    watch_.spare_ -= entry_->spare ? 1U : 0U;
  }
  return !entry_->given_up;
}

/// Nobody wakes it for work that begins: that ends no earlier than what it waits for.
void AnswerWatch::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (entries_.empty()) {
      stopped_.wait_for(lock, limit_);
    } else if (const auto end = entries_.front()->end; std::chrono::steady_clock::now() < end) {
      stopped_.wait_until(lock, end);
    } else {
      const std::shared_ptr<Entry> entry = entries_.front();
      entries_.pop_front();
      entry->listed = false;
      lock.unlock();
      give_up(*entry);
      lock.lock();
    }
  }
}

void AnswerWatch::give_up(Entry& entry) noexcept {
  const std::lock_guard entry_lock(entry.mutex);
  if (entry.over) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    entry.spare = spare_ < most_spare_;
    spare_ += entry.spare ? 1U : 0U;
  }
  entry.given_up = true;
  try {
    entry.give_up(entry.spare);
  } catch (const std::exception&) {
    // No memory for its last words.
  }
}

}  // namespace estia::http
