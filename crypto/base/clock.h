// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace estia {

/// Wall-clock time, UTC. Deadlines use std::chrono::steady_clock instead.
using Instant = std::chrono::system_clock::time_point;

[[nodiscard]] inline std::int64_t unix_seconds(Instant at) noexcept {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}
[[nodiscard]] inline std::int64_t unix_millis(Instant at) noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}
[[nodiscard]] inline Instant from_unix_seconds(std::int64_t seconds) noexcept {
  return Instant(std::chrono::seconds(seconds));
}
[[nodiscard]] inline Instant from_unix_millis(std::int64_t millis) noexcept {
  return Instant(std::chrono::milliseconds(millis));
}

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
