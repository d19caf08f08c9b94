// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "hsm/login_session.h"
#include "hsm/module.h"
#include "hsm/session_pool.h"
#include "hsm/slots.h"
#include "hsm/token.h"

namespace estia::hsm {

/// What a token's keys and operations share; kept alive by each of them. Any thread.
class TokenCore final {
 public:
  /// Finds the token and logs in. Errors as in Token::open.
  explicit TokenCore(const TokenConfig& config);

  [[nodiscard]] const Module& module() const noexcept { return *module_; }
  [[nodiscard]] const Slot& slot() const noexcept { return slot_; }
  [[nodiscard]] LoginSession& login() noexcept { return login_; }
  [[nodiscard]] SessionPool& pool() noexcept { return pool_; }

  /// Every handle carries the epoch it was resolved in, and is used in that epoch only. Constant
  /// until a lost login can be recovered.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_.load(); }

  [[nodiscard]] TokenStatus status() noexcept;

 private:
  friend struct LaterEpoch;  // of a test's own: what a login that was recovered will do

  const std::shared_ptr<const Module> module_;
  const Slot slot_;
  const std::size_t cap_;
  LoginSession login_;
  SessionPool pool_;
  std::atomic<std::uint64_t> epoch_{1};
};

}  // namespace estia::hsm
