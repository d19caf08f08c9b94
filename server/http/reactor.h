// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "server/http/ready_queue.h"
#include "server/http/stream.h"

namespace estia::http {

class Connection;
struct Transport;

/// Holds every connection that waits: for its first byte, for more of a request, for a client that
/// reads slowly, for the next request, for the client's end. None of them holds a worker (D13). It
/// only accepts, waits and counts; TLS and HTTP are the workers'.
///
/// next() and listen() are of one thread, the rest of any.
class Reactor final {
 public:
  /// The transport outlives it.
  explicit Reactor(Transport& transport);
  ~Reactor();  ///< closes what is parked
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  Reactor(Reactor&&) = delete;
  Reactor& operator=(Reactor&&) = delete;

  /// Accepts at this descriptor, which is borrowed.
  void listen(int descriptor);
  /// New clients are refused from here on.
  void stop_listening() noexcept;

  /// Once the connections drain: those that wait for a client that has begun nothing end, now and
  /// whenever one is parked.
  void end_waiting();

  /// Until something happens that it waits for, or its deadline passes.
  void park(std::unique_ptr<Connection> connection) noexcept;

  /// A connection that can go on, or whose deadline has passed, and that has a worker; null when
  /// there was none for so long. Accepts meanwhile.
  [[nodiscard]] std::unique_ptr<Connection> next(std::chrono::milliseconds wait);

 private:
  using Id = std::uint64_t;
  struct Parked {
    std::unique_ptr<Connection> connection;
    std::multimap<Deadline, Id>::iterator timer;
    std::optional<std::list<Id>::iterator> idle{};
  };

  void wait_for_events(Deadline until);
  void accept_some();
  bool accept_one();
  [[nodiscard]] bool admit(int descriptor, const std::optional<std::string>& source);
  void take_expired();
  void wake(Id id);
  void queue(std::unique_ptr<Connection> connection);
  void accept_or_wait();
  [[nodiscard]] std::unique_ptr<Connection> take(Id id);
  [[nodiscard]] std::unique_ptr<Connection> take_locked(Id id);
  [[nodiscard]] bool end_an_idle_one();
  [[nodiscard]] Deadline earliest();

  Transport& transport_;
  int epoll_ = -1;
  int listener_ = -1;
  std::optional<Deadline> accept_again_{};  ///< not before: the machine has no descriptors left
  ReadyQueue ready_;
  bool accepting_ = false;

  std::mutex mutex_;  ///< guards what follows
  std::unordered_map<Id, Parked> parked_;
  std::multimap<Deadline, Id> timers_;
  std::list<Id> idle_;  // of those that may go, the longest first
  Id last_id_ = 0;
};

}  // namespace estia::http
