// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <semaphore>

namespace estia::hsm {

/// The right to do what one does at a time, waited for until a limit: not a lock that somebody
/// could be holding while they wait for a hung token. (ThreadSanitizer of GCC 12 does not know
/// std::timed_mutex.)
class Turn final {
 public:
  Turn(std::binary_semaphore& free, std::chrono::milliseconds wait)
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
  std::binary_semaphore& free_;
  bool mine_;
};

}  // namespace estia::hsm
