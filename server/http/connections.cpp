// SPDX-License-Identifier: Apache-2.0
#include "server/http/connections.h"

#include <sys/socket.h>

namespace estia::http {

bool Connections::source_full(const std::string& source) const {
  const auto known = sources_.find(source);
  return known != sources_.end() && known->second >= per_source_;
}

Connections::Admission Connections::enter(int descriptor,
                                          const std::optional<std::string>& source) {
  const std::lock_guard lock(mutex_);
  if (draining()) {
    return Admission::draining;
  }
  if (source && source_full(*source)) {
    return Admission::source_full;
  }
  if (entries_.size() >= limit_) {
    return Admission::full;
  }
  Entry& entry = entries_.emplace(descriptor, Entry()).first->second;
  if (source) {
    count(entry, *source);
  }
  return Admission::admitted;
}

bool Connections::count_for(int descriptor, const std::string& source) {
  const std::lock_guard lock(mutex_);
  if (source_full(source)) {
    return false;
  }
  count(entries_.at(descriptor), source);
  return true;
}

void Connections::count(Entry& entry, const std::string& source) {
  std::size_t& of_source = sources_[source];
  entry.source = source;
  ++of_source;
}

void Connections::leave(int descriptor) noexcept {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(descriptor);
  if (entry == entries_.end()) {
    return;
  }
  if (entry->second.source) {
    const auto source = sources_.find(*entry->second.source);
    if (source != sources_.end() && --source->second == 0) {
      sources_.erase(source);
    }
  }
  entries_.erase(entry);
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
