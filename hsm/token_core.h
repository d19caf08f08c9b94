// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "hsm/attachment.h"
#include "hsm/ckr.h"
#include "hsm/recovery.h"
#include "hsm/token.h"

namespace estia::hsm {

class TokenKey;

/// What a token's keys and operations share; kept alive by each of them. Any thread.
class TokenCore final {
 public:
  /// Finds the token and logs in. Errors as in Token::open; with `later` none of Error{token}.
  explicit TokenCore(TokenConfig config, Recovery::Start start = Recovery::Start::now);
  /// Waits a second for the threads that recover and watch; those in a module that hangs are left
  /// behind.
  ~TokenCore();
  TokenCore(const TokenCore&) = delete;
  TokenCore& operator=(const TokenCore&) = delete;
  TokenCore(TokenCore&&) = delete;
  TokenCore& operator=(TokenCore&&) = delete;

  [[nodiscard]] Recovery& recovery() noexcept { return *recovery_; }
  /// Recovery::attachment.
  [[nodiscard]] std::shared_ptr<Attachment> attachment() const { return recovery_->attachment(); }

  [[nodiscard]] TokenStatus status() noexcept;

  /// Somebody has this key from now on.
  void add(const std::shared_ptr<const TokenKey>& key);
  /// Those that somebody still has.
  [[nodiscard]] std::vector<std::shared_ptr<const TokenKey>> keys() const;

 private:
  void end_threads() noexcept;

  const std::shared_ptr<Recovery> recovery_;  ///< shared with the threads
  mutable std::mutex mutex_;                  ///< guards keys_
  std::vector<std::weak_ptr<const TokenKey>> keys_;
  std::thread recovers_;
  std::thread watches_;
};

}  // namespace estia::hsm
