// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>

#include "server/http/stream.h"

namespace estia::http {

/// How many connections wait for a worker, and whether workers still take any. Any thread.
class Turns final {
 public:
  void waits() noexcept {
    if (waiting_.fetch_add(1) == 0) {
      last_.store(now());
    }
  }
  /// A worker has taken one.
  void taken() noexcept {
    waiting_.fetch_sub(1);
    last_.store(now());
  }
  /// Likewise, but no worker had anything to do with it.
  void dropped() noexcept { waiting_.fetch_sub(1); }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.load(); }
  /// Some wait, and none was taken for so long.
  [[nodiscard]] bool stalled(std::chrono::milliseconds time) const noexcept {
    const Deadline::duration limit = time;
    return waiting() > 0 && now() - last_.load() > limit.count();
  }

 private:
  using Ticks = Deadline::duration::rep;
  [[nodiscard]] static Ticks now() noexcept {
    return std::chrono::steady_clock::now().time_since_epoch().count();
  }

  std::atomic<std::size_t> waiting_{0};
  std::atomic<Ticks> last_{now()};
};

}  // namespace estia::http
