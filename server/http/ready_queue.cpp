// SPDX-License-Identifier: Apache-2.0
#include "server/http/ready_queue.h"

#include <chrono>
#include <optional>
#include <utility>

#include "server/http/connection.h"

namespace estia::http {
namespace {

/// Who has waited so long will hardly be served in time; who has just come still can.
constexpr std::chrono::milliseconds kPatience{1000};

}  // namespace

ReadyQueue::~ReadyQueue() = default;

void ReadyQueue::clear() noexcept {
  requests_.clear();
  begun_.clear();
  new_.clear();
}

void ReadyQueue::push(std::unique_ptr<Connection> connection) {
  connection->set_ready(std::chrono::steady_clock::now());
  Queue& queue = !connection->shakes_hands() ? requests_ : connection->begun() ? begun_ : new_;
  queue.push_back(std::move(connection));
  turns_.waits();
}

/// Requests and handshakes by turns: neither kind can keep the other waiting. More handshakes than
/// processors make none of them faster, and with a TLS key in a slow token they would hold every
/// worker.
std::unique_ptr<Connection> ReadyQueue::pop() {
  const bool requests_first = !requests_.empty() && !handshake_next_;
  Queue* const handshakes = requests_first || handshake_places_.full() ? nullptr : next_handshake();
  if (requests_.empty() && handshakes == nullptr) {
    return nullptr;
  }
  auto worker = workers_.take();
  if (!worker) {
    return pop_late();
  }
  handshake_next_ = handshakes == nullptr;
  std::optional<Places::Place> place;
  if (handshakes != nullptr) {
    place = handshake_places_.take();
  }
  std::unique_ptr<Connection> connection = take(handshakes != nullptr ? *handshakes : requests_);
  turns_.taken();
  connection->begin_turn(std::move(*worker), std::move(place));
  return connection;
}

Deadline ReadyQueue::next_excuse() const {
  return requests_.empty() || excuses_.full() ? Deadline::max()
                                              : requests_.front()->waits_since() + patience_;
}

/// It is told 503, whatever the workers do: that calls nobody who could hang.
std::unique_ptr<Connection> ReadyQueue::pop_late() {
  if (next_excuse() >= std::chrono::steady_clock::now()) {
    return nullptr;
  }
  auto place = excuses_.take();
  std::unique_ptr<Connection> connection = take(requests_);
  turns_.dropped();
  connection->begin_excuse(std::move(*place));
  return connection;
}

/// Null: none waits. Whoever has left meanwhile costs no signature.
ReadyQueue::Queue* ReadyQueue::next_handshake() {
  if (!begun_.empty()) {
    return &begun_;
  }
  while (!new_.empty() && (newest_first() ? new_.back() : new_.front())->gone()) {
    drop_next(new_);
  }
  return new_.empty() ? nullptr : &new_;
}

/// In an overload nobody would be served if all were served in the order in which they came: each
/// would be given up by its client, or by its deadline, shortly before its end.
bool ReadyQueue::newest_first() const {
  return new_.front()->waits_since() + kPatience < std::chrono::steady_clock::now();
}

std::unique_ptr<Connection> ReadyQueue::take(Queue& from) {
  std::unique_ptr<Connection> connection;
  if (&from == &new_ && newest_first()) {
    connection = std::move(from.back());
    from.pop_back();
  } else {
    connection = std::move(from.front());
    from.pop_front();
  }
  return connection;
}

void ReadyQueue::drop_next(Queue& from) {
  take(from).reset();
  turns_.dropped();
}

std::size_t ReadyQueue::drop_late() {
  return drop_late(begun_) + drop_late(new_);
}

std::size_t ReadyQueue::drop_late(Queue& handshakes) {
  const Deadline now = std::chrono::steady_clock::now();
  std::size_t count = 0;
  while (!handshakes.empty() && handshakes.front()->deadline() <= now) {
    handshakes.pop_front();
    turns_.dropped();
    ++count;
  }
  return count;
}

}  // namespace estia::http
