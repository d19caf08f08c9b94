// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "server/provision/state_layout.h"

namespace estia::admin {

/// A state directory that `estia init` is filling, locked; emptied again unless all went well.
class StateInTheMaking final {
 public:
  /// Makes the directory (0700), or takes an empty one. Throws Error{conflict, "state.exists"} for
  /// one with anything in it, Error{conflict, "state.locked"}, Error{store, "state.io"}.
  explicit StateInTheMaking(const provision::StateLayout& layout);
  ~StateInTheMaking();
  StateInTheMaking(const StateInTheMaking&) = delete;
  StateInTheMaking& operator=(const StateInTheMaking&) = delete;
  StateInTheMaking(StateInTheMaking&&) = delete;
  StateInTheMaking& operator=(StateInTheMaking&&) = delete;

  /// From here on everything stays.
  void keep() noexcept { kept_ = true; }

 private:
  provision::StateLayout layout_;
  bool directory_is_ours_ = false;
  bool kept_ = false;
  std::optional<provision::StateLock> lock_;
};

}  // namespace estia::admin
