// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <future>
#include <mutex>
#include <vector>

#include "server/api/management.h"
#include "server/app/audited.h"
#include "server/ca/ca_keys.h"
#include "server/ca/model.h"

namespace estia::app {

/// One signature by each CA key, for an operator. One at a time, and none while a call of the last
/// one hangs: a token must not collect threads. Any thread.
class TokenTrial final {
 public:
  /// How long a key is waited for, and all of them.
  struct Patience {
    std::chrono::milliseconds each{10'000};
    std::chrono::milliseconds all{30'000};
  };

  /// It outlives this object.
  explicit TokenTrial(const ca::CaKeys& keys) : TokenTrial(keys, Patience()) {}
  TokenTrial(const ca::CaKeys& keys, Patience patience) : keys_(keys), patience_(patience) {}
  ~TokenTrial() = default;  ///< waits for calls that hang: see idle()
  TokenTrial(const TokenTrial&) = delete;
  TokenTrial& operator=(const TokenTrial&) = delete;
  TokenTrial(TokenTrial&&) = delete;
  TokenTrial& operator=(TokenTrial&&) = delete;

  /// Of the CAs that an alias names. What a key refuses is in the report, as is one that does not
  /// answer ("token.no_answer"), and in the log; what comes of that one later is logged as late.
  /// Throws Error{busy, "token.probing"}.
  [[nodiscard]] std::vector<api::ProvedKey> run(const ca::Snapshot& snapshot);

  /// "ok" if each of them was proved, else "failed", and how many of how many.
  [[nodiscard]] static Outcome outcome_of(const std::vector<api::ProvedKey>& proved);

  /// Whether all calls are back.
  [[nodiscard]] bool idle();

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] api::ProvedKey try_one(const ca::CertificationAuthority& authority,
                                       Clock::time_point end);
  [[nodiscard]] bool all_back() const;

  const ca::CaKeys& keys_;
  const Patience patience_;
  std::mutex running_;  ///< guards what follows; held by run()
  std::vector<std::future<api::ProvedKey>> hanging_;
};

}  // namespace estia::app
