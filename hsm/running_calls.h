// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>

namespace estia::hsm {

/// Calls to a token that the pool's sessions do not tell all about, for whoever watches for those
/// that hang. Any thread.
class RunningCalls final {
 public:
  enum class Kind {
    one,       ///< through nobody's session of ours: pkcs11-provider has its own
    blocking,  ///< others wait for what comes of it, whatever they have themselves
  };

 private:
  struct Running {
    std::chrono::steady_clock::time_point since;
    Kind kind;
  };
  using List = std::list<Running>;

 public:
  /// One call, for as long as it lives; the list outlives it.
  class Call final {
   public:
    explicit Call(RunningCalls& running, Kind kind = Kind::one) : running_(running) {
      const auto now = std::chrono::steady_clock::now();
      const std::scoped_lock lock(running_.mutex_);
      place_ = running_.list_.insert(running_.list_.end(), {now, kind});
    }
    ~Call() {
      const std::scoped_lock lock(running_.mutex_);
      running_.list_.erase(place_);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    Call(Call&&) = delete;
    Call& operator=(Call&&) = delete;

   private:
    RunningCalls& running_;
    List::iterator place_;
  };

  /// Those that began before, and are not back.
  [[nodiscard]] std::size_t overdue(Kind kind, std::chrono::steady_clock::time_point before) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count_if(
        list_, [&](const Running& call) { return call.kind == kind && call.since < before; }));
  }

 private:
  mutable std::mutex mutex_;  ///< guards list_
  List list_;
};

}  // namespace estia::hsm
