// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <semaphore>

namespace estia::hsm {

/// What a binary semaphore is, but whoever waits longest comes next: with one session for sixteen
/// workers somebody would wait in vain otherwise. Any thread.
class FairSemaphore final {
 public:
  [[nodiscard]] bool try_acquire_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    if (!taken_ && waiting_.empty()) {
      taken_ = true;
      return true;
    }
    if (deadline <= std::chrono::steady_clock::now()) {
      return false;
    }
    const auto place = waiting_.insert(waiting_.end(), 0);
    const bool mine =
        freed_.wait_until(lock, deadline, [&] { return !taken_ && waiting_.begin() == place; });
    waiting_.erase(place);
    taken_ = taken_ || mine;
    freed_.notify_all();  // another is the first now
    return mine;
  }
  [[nodiscard]] bool try_acquire_for(std::chrono::milliseconds wait) {
    return try_acquire_until(std::chrono::steady_clock::now() + wait);
  }
  [[nodiscard]] std::size_t waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_.size();
  }
  void release() noexcept {
    {
      const std::scoped_lock lock(mutex_);
      taken_ = false;
    }
    freed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable freed_;
  std::list<char> waiting_;  ///< who waits, the longest first
  bool taken_ = false;
};

/// The right to do what one does at a time, waited for until a limit: not a lock that somebody
/// could be holding while they wait for a hung token. (ThreadSanitizer of GCC 12 does not know
/// std::timed_mutex.)
template <class Semaphore>
class Turn final {
 public:
  Turn(Semaphore& free, std::chrono::milliseconds wait)
      : free_(free), mine_(free.try_acquire_for(wait)) {}
  ~Turn() {
    if (mine_) {
      free_.release();
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  Turn(Turn&&) = delete;
  Turn& operator=(Turn&&) = delete;
  [[nodiscard]] bool mine() const noexcept { return mine_; }

 private:
  Semaphore& free_;
  bool mine_;
};

}  // namespace estia::hsm
