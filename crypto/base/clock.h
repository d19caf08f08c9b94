// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

namespace estia {

/// Wall-clock time, UTC. Deadlines use std::chrono::steady_clock instead.
using Instant = std::chrono::system_clock::time_point;

[[nodiscard]] inline std::int64_t unix_seconds(Instant at) noexcept {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}
[[nodiscard]] inline std::int64_t unix_millis(Instant at) noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}
/// What an Instant cannot hold (it counts nanoseconds and ends in the year 2262) becomes the first
/// or last second it can: 99991231235959Z in a certificate is "no end" (RFC 5280 4.1.2.5).
[[nodiscard]] inline Instant from_unix_seconds(std::int64_t seconds) noexcept {
  constexpr auto kFirst = std::chrono::ceil<std::chrono::seconds>(Instant::duration::min());
  constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(Instant::duration::max());
  return Instant(std::clamp(std::chrono::seconds(seconds), kFirst, kLast));
}
[[nodiscard]] inline Instant from_unix_millis(std::int64_t millis) noexcept {
  constexpr auto kFirst = std::chrono::ceil<std::chrono::milliseconds>(Instant::duration::min());
  constexpr auto kLast = std::chrono::floor<std::chrono::milliseconds>(Instant::duration::max());
  return Instant(std::clamp(std::chrono::milliseconds(millis), kFirst, kLast));
}

/// "2026-11-26T18:16:37Z": for people.
[[nodiscard]] std::string utc_text(Instant at);

/// Where the domain takes the time from; safe to call from any thread. Tests have a clock of their
/// own.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return std::chrono::system_clock::now(); }
};

}  // namespace estia
