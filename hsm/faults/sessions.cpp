// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/sessions.h"

#include <algorithm>

namespace estia::hsm::faults {

void Sessions::set_cap(const SessionCap& cap) {
  const std::scoped_lock lock(mutex_);
  cap_ = cap;
}

SessionCap Sessions::cap() const {
  const std::scoped_lock lock(mutex_);
  return cap_;
}

bool Sessions::begin_open(CK_SLOT_ID slot) {
  const std::scoped_lock lock(mutex_);
  const auto of_slot = [&](const auto& session) { return session.second == slot; };
  const auto taken =
      static_cast<std::size_t>(std::ranges::count_if(open_, of_slot)) + between_[slot];
  if (cap_.limit && taken >= *cap_.limit) {
    return false;
  }
  ++between_[slot];
  return true;
}

std::optional<CK_SLOT_ID> Sessions::begin_close(CK_SESSION_HANDLE session) {
  const std::scoped_lock lock(mutex_);
  const auto found = open_.find(session);
  if (found == open_.end()) {
    return std::nullopt;
  }
  const CK_SLOT_ID slot = found->second;
  ++between_[slot];
  open_.erase(found);
  return slot;
}

void Sessions::opened(CK_SLOT_ID slot, CK_SESSION_HANDLE session) {
  const std::scoped_lock lock(mutex_);
  --between_[slot];
  open_.insert_or_assign(session, slot);
}

void Sessions::gone(CK_SLOT_ID slot) {
  const std::scoped_lock lock(mutex_);
  --between_[slot];
}

void Sessions::closed_all(CK_SLOT_ID slot) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(open_, [&](const auto& session) { return session.second == slot; });
}

void Sessions::forget_all() {
  const std::scoped_lock lock(mutex_);
  open_.clear();
}

std::optional<CK_SLOT_ID> Sessions::slot_of(CK_SESSION_HANDLE session) const {
  const std::scoped_lock lock(mutex_);
  const auto found = open_.find(session);
  return found == open_.end() ? std::nullopt : std::optional(found->second);
}

std::map<CK_SLOT_ID, CK_SESSION_HANDLE> Sessions::one_of_each_slot() const {
  const std::scoped_lock lock(mutex_);
  std::map<CK_SLOT_ID, CK_SESSION_HANDLE> sessions;
  for (const auto& [session, slot] : open_) {
    sessions.emplace(slot, session);
  }
  return sessions;
}

std::size_t Sessions::open() const {
  const std::scoped_lock lock(mutex_);
  return open_.size();
}

}  // namespace estia::hsm::faults
