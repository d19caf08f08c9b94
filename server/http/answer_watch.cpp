// SPDX-License-Identifier: Apache-2.0
#include "server/http/answer_watch.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace estia::http {

struct AnswerWatch::Entry {
  std::chrono::steady_clock::time_point end;  ///< of what `in` is for; guarded by the watch's mutex
  Entries* in = nullptr;                      ///< null: nothing is waited for; likewise
  std::mutex mutex{};  ///< guards what follows: who is first, the worker or its watch
  Late late;
  bool over = false;
  bool given_up = false;
  bool replaced = false;
};

AnswerWatch::AnswerWatch(Times times, Places& spares)
    : times_(times), spares_(spares), thread_([this] { run(); }) {}

AnswerWatch::~AnswerWatch() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

AnswerWatch::Watched::Watched(AnswerWatch& watch, Late late)
    : watch_(watch), entry_(std::make_shared<Entry>()) {
  entry_->end = std::chrono::steady_clock::now() + watch_.times_.replace;
  entry_->late = std::move(late);
  const std::lock_guard lock(watch_.mutex_);
  place_ = watch_.new_.insert(watch_.new_.end(), entry_);
  entry_->in = &watch_.new_;
}

bool AnswerWatch::Watched::in_time() noexcept {
  const std::lock_guard entry_lock(entry_->mutex);
  if (!std::exchange(entry_->over, true)) {
    const std::lock_guard lock(watch_.mutex_);
    if (entry_->in != nullptr) {
      entry_->in->erase(place_);
    }
  }
  return !entry_->given_up;
}

/// Nobody wakes it for work that begins: it never waits longer than that takes to be late.
void AnswerWatch::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const auto now = std::chrono::steady_clock::now();
    const bool new_first =
        late_.empty() || (!new_.empty() && new_.front()->end <= late_.front()->end);
    Entries& first = new_first ? new_ : late_;
    const auto longest = now + times_.replace;
    const auto end = first.empty() ? longest : std::min(first.front()->end, longest);
    if (first.empty() || now < end) {
      stopped_.wait_until(lock, end);
    } else {
      const std::shared_ptr<Entry> entry = first.front();
      if (new_first) {
        late_.splice(late_.end(), new_, new_.begin());
        entry->end += times_.give_up - times_.replace;
        entry->in = &late_;
      } else {
        late_.pop_front();
        entry->in = nullptr;
      }
      lock.unlock();
      if (new_first) {
        replace(*entry);
      } else {
        give_up(*entry);
      }
      lock.lock();
    }
  }
}

void AnswerWatch::replace(Entry& entry) noexcept {
  const std::lock_guard entry_lock(entry.mutex);
  if (!entry.over) {
    replace_locked(entry);
  }
}

/// Again before it is given up: there may be a spare one by then.
void AnswerWatch::replace_locked(Entry& entry) {
  if (entry.replaced) {
    return;
  }
  if (std::optional<Places::Place> spare = spares_.take()) {
    entry.replaced = true;
    entry.late.replace(std::move(*spare));
  }
}

void AnswerWatch::give_up(Entry& entry) noexcept {
  const std::lock_guard entry_lock(entry.mutex);
  if (entry.over) {
    return;
  }
  entry.given_up = true;
  try {
    replace_locked(entry);
    entry.late.give_up(entry.replaced);
  } catch (const std::exception&) {
    // No memory for its last words.
  }
}

}  // namespace estia::http
