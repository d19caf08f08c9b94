// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "crypto/base/clock.h"

namespace estia::test {

/// Stands still until it is moved. Any thread.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return from_unix_millis(millis_); }
  void advance(std::chrono::milliseconds by) { millis_ += by.count(); }

 private:
  std::atomic<std::int64_t> millis_{1'700'000'000'000};
};

}  // namespace estia::test
