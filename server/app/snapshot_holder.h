// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "server/ca/model.h"

namespace estia::app {

/// The current run-time configuration (D7). Requests share what they started with; publishing
/// replaces it for the next ones. Any thread.
class SnapshotHolder final : public ca::SnapshotSource {
 public:
  explicit SnapshotHolder(std::shared_ptr<const ca::Snapshot> first) : current_(std::move(first)) {}

  [[nodiscard]] std::shared_ptr<const ca::Snapshot> current() const override {
    const std::shared_lock lock(mutex_);
    return current_;
  }
  void publish(std::shared_ptr<const ca::Snapshot> next) {
    const std::unique_lock lock(mutex_);  // the old one, in `next`, is freed after it
    std::erase_if(earlier_, [](const auto& held) { return held.expired(); });
    try {
      earlier_.push_back(current_);
    } catch (const std::bad_alloc&) {
      unknown_ = true;  // the change is stored already: it does not fail
    }
    current_.swap(next);
  }
  /// Whether somebody goes on with one that was replaced.
  [[nodiscard]] bool earlier_in_use() const {
    const std::shared_lock lock(mutex_);
    return unknown_ ||
           std::ranges::any_of(earlier_, [](const auto& held) { return !held.expired(); });
  }

 private:
  mutable std::shared_mutex mutex_;  // guards what follows
  std::shared_ptr<const ca::Snapshot> current_;
  std::vector<std::weak_ptr<const ca::Snapshot>> earlier_;  // that were in use at the last change
  bool unknown_ = false;                                    // whether others are
};

}  // namespace estia::app
