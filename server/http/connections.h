// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "server/http/stream.h"

namespace estia::http {

/// The open connections of a listener: admission, what is in flight, and the orderly end. Any
/// thread.
class Connections final {
 public:
  Connections(std::size_t limit, std::size_t per_source) noexcept
      : limit_(limit), per_source_(per_source) {}

  enum class Admission { admitted, full, source_full, draining };
  /// `source` is whoever may have only some of them; nullopt: not known yet. What is not admitted
  /// is to be closed.
  [[nodiscard]] Admission enter(int descriptor, const std::optional<std::string>& source);
  /// Of one that has entered without a source. False: it has all it may have; close it.
  [[nodiscard]] bool count_for(int descriptor, const std::string& source);
  /// Before the descriptor is closed: afterwards nobody touches it through this object.
  void leave(int descriptor) noexcept;

  /// A request has begun to arrive; it ends with its answer or with leave(). Whoever goes on to
  /// wait for the next one asks draining() after end_request().
  void begin_request(int descriptor);
  void end_request(int descriptor) noexcept;

  [[nodiscard]] bool draining() const noexcept { return draining_.load(); }
  [[nodiscard]] std::size_t count() {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }

  /// Nothing new is admitted, and others are told "Connection: close". Whoever holds connections
  /// that wait ends them afterwards.
  void begin_drain() noexcept { draining_.store(true); }
  /// Returns whether all went before the deadline; what is left then is cut, and so is a failure
  /// only if a request was in flight.
  [[nodiscard]] bool drain(Deadline deadline);
  /// Whether every connection left before the deadline.
  [[nodiscard]] bool wait_until_empty(Deadline deadline);

 private:
  struct Entry {
    std::optional<std::string> source;
    bool in_request = false;
  };

  // Under the lock.
  [[nodiscard]] bool source_full(const std::string& source) const;
  void count(Entry& entry, const std::string& source);

  const std::size_t limit_;
  const std::size_t per_source_;
  std::atomic<bool> draining_{false};
  std::mutex
      mutex_;  ///< guards what follows; held while a descriptor of another thread is shut down
  std::condition_variable changed_;
  std::unordered_map<int, Entry> entries_;
  std::unordered_map<std::string, std::size_t> sources_;
};

}  // namespace estia::http
