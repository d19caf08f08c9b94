// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>

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
    current_.swap(next);
  }

 private:
  mutable std::shared_mutex mutex_;  // guards current_
  std::shared_ptr<const ca::Snapshot> current_;
};

}  // namespace estia::app
