// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

namespace estia::http {

using Deadline = std::chrono::steady_clock::time_point;

[[nodiscard]] inline Deadline after(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

enum class IoStatus {
  done,    ///< at least a part
  wait,    ///< nothing can be done now
  closed,  ///< nothing can be done any more
};

struct IoResult {
  IoStatus status = IoStatus::closed;
  std::size_t size = 0;  ///< bytes; with `done` at least 1
};

/// The bytes of one connection, whatever carries them. Nothing here ever waits. One thread at a
/// time.
class Stream {
 public:
  virtual ~Stream() = default;
  /// What is there. `closed` is any end, clean or not: whoever reads knows how much was to come.
  [[nodiscard]] virtual IoResult read(std::span<char> out) = 0;
  /// As much as goes now. What did not go must be offered again, and nothing else before it.
  [[nodiscard]] virtual IoResult write(std::string_view data) = 0;
};

}  // namespace estia::http
