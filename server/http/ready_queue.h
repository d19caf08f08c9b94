// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>

#include "server/http/places.h"
#include "server/http/stream.h"
#include "server/http/turns.h"

namespace estia::http {

class Connection;

/// Connections that can go on and wait for a worker: requests, and handshakes, which need a place
/// of their own besides. One thread.
class ReadyQueue final {
 public:
  /// All of them outlive the queue.
  /// Requests that wait for longer than `patience` get one of `excuses` when there is no worker.
  ReadyQueue(Places& workers, Places& handshakes, Places& excuses,
             std::chrono::milliseconds patience, Turns& turns) noexcept
      : workers_(workers),
        handshake_places_(handshakes),
        excuses_(excuses),
        patience_(patience),
        turns_(turns) {}
  ~ReadyQueue();
  ReadyQueue(const ReadyQueue&) = delete;
  ReadyQueue& operator=(const ReadyQueue&) = delete;
  ReadyQueue(ReadyQueue&&) = delete;
  ReadyQueue& operator=(ReadyQueue&&) = delete;

  void push(std::unique_ptr<Connection> connection);
  /// The next one, with a worker's place and what else it needs; null while there is none for any.
  [[nodiscard]] std::unique_ptr<Connection> pop();
  /// Ends handshakes whose time is over; how many.
  [[nodiscard]] std::size_t drop_late();
  /// When pop() can have another one without anybody else's doing.
  [[nodiscard]] Deadline next_excuse() const;
  void clear() noexcept;

  [[nodiscard]] bool empty() const noexcept { return requests_.empty() && !handshakes_wait(); }
  [[nodiscard]] bool handshakes_wait() const noexcept { return !begun_.empty() || !new_.empty(); }
  [[nodiscard]] std::size_t new_handshakes() const noexcept { return new_.size(); }

 private:
  using Queue = std::deque<std::unique_ptr<Connection>>;

  [[nodiscard]] std::unique_ptr<Connection> pop_late();
  [[nodiscard]] Queue* next_handshake();
  [[nodiscard]] bool newest_first() const;
  [[nodiscard]] std::unique_ptr<Connection> take(Queue& from);
  void drop_next(Queue& from);
  [[nodiscard]] std::size_t drop_late(Queue& handshakes);

  Places& workers_;
  Places& handshake_places_;
  Places& excuses_;
  const std::chrono::milliseconds patience_;
  Turns& turns_;
  Queue requests_;
  Queue begun_;  ///< handshakes that have had a turn: they have cost a signature already
  Queue new_;    ///< those that have not, the longest first
  bool handshake_next_ = false;
};

}  // namespace estia::http
