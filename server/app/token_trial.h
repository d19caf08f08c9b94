// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <vector>

#include "server/api/management.h"
#include "server/ca/ca_keys.h"
#include "server/ca/model.h"

namespace estia::app {

/// One signature by each CA key, for an operator. One at a time, so that a token that hangs holds
/// one worker of the management listener, not all. Any thread.
class TokenTrial final {
 public:
  /// It outlives this object.
  explicit TokenTrial(const ca::CaKeys& keys) noexcept : keys_(keys) {}

  /// Of the CAs that an alias names. What a key refuses is in the report. Throws Error{busy,
  /// "token.probing"}.
  [[nodiscard]] std::vector<api::ProvedKey> run(const ca::Snapshot& snapshot);

 private:
  const ca::CaKeys& keys_;
  std::mutex running_;
};

}  // namespace estia::app
