// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "crypto/base/clock.h"
#include "server/provision/state_layout.h"
#include "server/store/store.h"

namespace estia::admin {

/// The store of a state directory whose daemon is stopped, under the lock, for one command.
class OpenState final {
 public:
  /// Throws Error{config, "state.missing"} for a directory that estia init did not make,
  /// Error{conflict, "state.locked"}, what provision::check_state_access, app::load_process_config
  /// and store::Store::open throw.
  explicit OpenState(const std::filesystem::path& directory);

  [[nodiscard]] store::Store& store() noexcept { return *store_; }
  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }

 private:
  provision::StateLayout layout_;
  provision::StateLock lock_;
  SystemClock clock_;
  std::unique_ptr<store::Store> store_;
};

/// How the audit trail names whoever runs a command: "operator uid 0".
[[nodiscard]] std::string operator_name();

}  // namespace estia::admin
