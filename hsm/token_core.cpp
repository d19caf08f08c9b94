// SPDX-License-Identifier: Apache-2.0
#include "hsm/token_core.h"

#include <algorithm>
#include <string>

#include "crypto/base/error.h"

namespace estia::hsm {
namespace {

constexpr std::size_t kMostSessions = 4096;

/// One session of the token's is taken by the login.
std::size_t pool_cap(std::size_t wanted, CK_ULONG token_limit) {
  if (wanted == 0 || wanted > kMostSessions) {
    throw Error(ErrorCode::config, "token.max_sessions",
                "max_sessions must be between 1 and " + std::to_string(kMostSessions));
  }
  if (token_limit == CK_EFFECTIVELY_INFINITE || token_limit == CK_UNAVAILABLE_INFORMATION) {
    return wanted;
  }
  if (token_limit < 2) {
    throw Error(ErrorCode::config, "token.max_sessions",
                "the token allows one session only; two are needed");
  }
  return std::min<std::size_t>(wanted, token_limit - 1);
}

}  // namespace

TokenCore::TokenCore(const TokenConfig& config)
    : module_(Module::load(config.module, config.init_args)),
      slot_(find_slot(*module_, config.label, config.serial)),
      cap_(pool_cap(config.max_sessions, slot_.max_sessions)),
      login_(module_, slot_.id, config.pin.read(), config.session_wait),
      pool_(module_, slot_.id, cap_, config.session_wait) {}

TokenStatus TokenCore::status() noexcept {
  TokenStatus status;
  const SessionPool::Counts counts = pool_.counts();
  status.sessions_open = counts.open;
  status.sessions_in_use = counts.in_use;
  status.sessions_cap = counts.cap;
  status.epoch = epoch();
  try {
    status.label = slot_.token.label;
    status.serial = slot_.token.serial;
    status.manufacturer = slot_.token.manufacturer;
    status.model = slot_.token.model;
    const TokenInfo now = read_slot(*module_, slot_.id).token;
    status.present = now.initialized && now.label == status.label && now.serial == status.serial;
    status.logged_in = status.present && login_.logged_in();
  } catch (const std::exception&) {
    status.present = false;  // an answer, not an error
    status.logged_in = false;
  }
  return status;
}

}  // namespace estia::hsm
