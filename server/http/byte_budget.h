// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>

namespace estia::http {

/// What all connections of a listener may keep of requests and answers, together. Who keeps no more
/// than an equal share may always do so: large requests of some do not refuse the small ones of the
/// rest. Any thread.
class ByteBudget final {
 public:
  ByteBudget(std::size_t limit, std::size_t connections) noexcept
      : limit_(limit), share_(limit / connections) {}

  /// One connection's part of it; given back when it goes. One thread at a time.
  class Share final {
   public:
    explicit Share(ByteBudget& budget) noexcept : budget_(budget) {}
    ~Share() { budget_.used_.fetch_sub(held_); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    Share(Share&&) = delete;
    Share& operator=(Share&&) = delete;

    /// So many bytes are kept now. False when all connections together keep too many, and this one
    /// more than its share.
    [[nodiscard]] bool hold(std::size_t bytes) noexcept {
      const std::size_t before = budget_.used_.fetch_add(bytes - held_);  // modulo, as unsigned is
      const std::size_t now = before + bytes - held_;
      const bool more = bytes > held_;
      held_ = bytes;
      return !more || bytes <= budget_.share_ || now <= budget_.limit_;
    }

   private:
    ByteBudget& budget_;
    std::size_t held_ = 0;
  };

  [[nodiscard]] std::size_t used() const noexcept { return used_.load(); }

 private:
  const std::size_t limit_;
  const std::size_t share_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace estia::http
