// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>

namespace estia::hsm {

/// What went wrong with a key since it last went well, and how long it rests for that. One thread
/// at a time.
class KeyFailures final {
 public:
  using Clock = std::chrono::steady_clock;

  /// One more. True: so many in a row are the key's own, unless they all came within `burst`.
  [[nodiscard]] bool add(std::chrono::seconds burst = std::chrono::seconds(1)) noexcept {
    constexpr unsigned kMost = 3;
    const Clock::time_point now = Clock::now();
    since_ = count_ == 0 ? now : since_;
    return ++count_ >= kMost && now >= since_ + burst;
  }

  /// The first rest's length is `first`; each further one is twice as long as the last, up to half
  /// a minute.
  [[nodiscard]] std::chrono::seconds next_rest(std::chrono::seconds first) noexcept {
    constexpr std::chrono::seconds kLongest{30};
    const auto pause = std::min(first * (1U << std::min(rests_, 10U)), kLongest);
    ++rests_;
    return pause;
  }

 private:
  unsigned count_ = 0;
  unsigned rests_ = 0;
  Clock::time_point since_{};
};

}  // namespace estia::hsm
