// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <vector>

#include "server/api/management.h"
#include "server/app/monitoring.h"
#include "server/ca/ca_keys.h"
#include "server/ca/model.h"

namespace estia::app {

/// An operator's look at the token: its login, and one signature by each CA key in it. One at a
/// time, so that a token that hangs holds one worker of the management listener, not all. Any
/// thread.
class TokenTrial final {
 public:
  /// Both outlive it.
  TokenTrial(TokenProbe& probe, const ca::CaKeys& keys) noexcept : probe_(probe), keys_(keys) {}

  /// Of the CAs that an alias names. What a key refuses is in the report. Throws Error{busy,
  /// "token.probing"}.
  [[nodiscard]] api::TokenTrialReport run(const ca::Snapshot& snapshot);

 private:
  TokenProbe& probe_;
  const ca::CaKeys& keys_;
  std::mutex running_;
};

/// Which keys the token must have for this configuration, by CA.
[[nodiscard]] std::vector<api::TokenKeyName> key_names(const ca::Snapshot& snapshot);

}  // namespace estia::app
