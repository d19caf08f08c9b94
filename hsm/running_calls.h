// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>

namespace estia::hsm {

/// Calls to a token that go through nobody's session of ours (pkcs11-provider has its own), for
/// whoever watches for those that hang. Any thread.
class RunningCalls final {
  using Since = std::list<std::chrono::steady_clock::time_point>;

 public:
  /// One call, for as long as it lives; the list outlives it.
  class Call final {
   public:
    explicit Call(RunningCalls& running) : running_(running) {
      const auto now = std::chrono::steady_clock::now();
      const std::scoped_lock lock(running_.mutex_);
      since_ = running_.since_.insert(running_.since_.end(), now);
    }
    ~Call() {
      const std::scoped_lock lock(running_.mutex_);
      running_.since_.erase(since_);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    Call(Call&&) = delete;
    Call& operator=(Call&&) = delete;

   private:
    RunningCalls& running_;
    Since::iterator since_;
  };

  /// Those that began before, and are not back.
  [[nodiscard]] std::size_t overdue(std::chrono::steady_clock::time_point before) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(since_, [&](const auto since) { return since < before; }));
  }

 private:
  mutable std::mutex mutex_;
  Since since_;
};

}  // namespace estia::hsm
