// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

namespace estia::http {

/// Wakes the thread that waits in epoll for a descriptor of its own. Any thread.
class Wakeup final {
 public:
  /// Throws Error{config, "http.epoll"} when the machine gives no descriptor.
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  Wakeup(Wakeup&&) = delete;
  Wakeup& operator=(Wakeup&&) = delete;

  /// Readable once somebody has called signal() after ask().
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  /// The waiting thread's: from now on one signal() is heard.
  void ask() noexcept { asked_.store(true); }
  void clear() const noexcept;
  /// Costs nothing unless somebody asked.
  void signal() noexcept;

 private:
  int descriptor_ = -1;
  std::atomic<bool> asked_{false};
};

/// So many of a kind may go on at once. One thread takes places, any gives them back.
class Places final {
 public:
  /// `wakeup` outlives this object, which outlives its places.
  Places(std::size_t count, Wakeup& wakeup) noexcept : count_(count), wakeup_(wakeup) {}

  class Place final {
   public:
    explicit Place(Places& of) noexcept : of_(&of) {}
    ~Place() { give_back(); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Place(Place&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    Place& operator=(Place&& other) noexcept {
      if (this != &other) {
        give_back();
        of_ = std::exchange(other.of_, nullptr);
      }
      return *this;
    }

   private:
    void give_back() noexcept {
      if (of_ != nullptr) {
        of_->taken_.fetch_sub(1);
        of_->changed_.store(Clock::now());
        of_->wakeup_.signal();
      }
    }
    Places* of_;
  };

  /// Of whoever takes them: what is not full stays so until the next take().
  [[nodiscard]] bool full() const noexcept { return taken_.load() >= count_; }
  /// All are taken, and none was given back for so long.
  [[nodiscard]] bool stalled(std::chrono::milliseconds time) const noexcept {
    return full() && Clock::now() - changed_.load() > time;
  }
  /// nullopt: all are taken.
  [[nodiscard]] std::optional<Place> take() noexcept {
    if (full()) {
      return std::nullopt;
    }
    taken_.fetch_add(1);
    changed_.store(Clock::now());
    return std::optional<Place>(std::in_place, *this);
  }

 private:
  using Clock = std::chrono::steady_clock;

  const std::size_t count_;
  Wakeup& wakeup_;
  std::atomic<std::size_t> taken_{0};
  std::atomic<Clock::time_point> changed_{Clock::now()};
};

}  // namespace estia::http
