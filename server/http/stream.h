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

enum class ReadStatus { data, closed, timed_out };

struct ReadResult {
  ReadStatus status = ReadStatus::closed;
  std::size_t size = 0;  ///< with `data` only, then at least 1
};

/// The bytes of one connection, whatever carries them. One thread at a time.
class Stream {
 public:
  virtual ~Stream() = default;
  /// What is there, or what comes before the deadline. `closed` is any end, clean or not: whoever
  /// reads knows how much was to come.
  [[nodiscard]] virtual ReadResult read(std::span<char> out, Deadline deadline) = 0;
  /// All of it before the deadline, or false; then the connection is of no more use.
  [[nodiscard]] virtual bool write(std::string_view data, Deadline deadline) = 0;
};

}  // namespace estia::http
