// SPDX-License-Identifier: Apache-2.0
#include "server/http/connections.h"

#include <sys/socket.h>

namespace estia::http {

bool Connections::enter(int descriptor) {
  const std::lock_guard lock(mutex_);
  if (draining() || entries_.size() >= limit_) {
    return false;
  }
  entries_.emplace(descriptor, Entry{});
  count_.store(entries_.size());
  return true;
}

void Connections::leave(int descriptor) noexcept {
  const std::lock_guard lock(mutex_);
  entries_.erase(descriptor);
  count_.store(entries_.size());
  changed_.notify_all();
}

void Connections::begin_request(int descriptor) {
  const std::lock_guard lock(mutex_);
  entries_[descriptor].in_request = true;
}

void Connections::end_request(int descriptor) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(descriptor);
  if (found != entries_.end()) {
    found->second.in_request = false;
  }
}

bool Connections::drain(Deadline deadline) {
  std::unique_lock lock(mutex_);
  draining_.store(true);
  for (const auto& [descriptor, entry] : entries_) {
    if (!entry.in_request) {
      // What the kernel has already received can still be read and is answered.
      ::shutdown(descriptor, SHUT_RD);
    }
  }
  if (changed_.wait_until(lock, deadline, [&] { return entries_.empty(); })) {
    return true;
  }
  bool complete = true;
  for (const auto& [descriptor, entry] : entries_) {
    complete = complete && !entry.in_request;
    ::shutdown(descriptor, SHUT_RDWR);
  }
  return complete;
}

bool Connections::wait_until_empty(Deadline deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [&] { return entries_.empty(); });
}

}  // namespace estia::http
