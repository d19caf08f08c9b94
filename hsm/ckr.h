// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/error.h"

namespace estia::hsm {

/// A PKCS#11 return value (CK_RV), without its header.
using ReturnValue = unsigned long;

/// What a return value means for us: which rung of recovery it asks for.
enum class Fault {
  session_lost,    ///< drop the session, retry once on a fresh one
  login_lost,      ///< somebody logged the process out
  handle_stale,    ///< the key must be found again and compared
  gone,            ///< token, slot or module went away
  exhausted,       ///< memory or sessions: wait
  pin,             ///< wrong, locked or expired: never try again by ourselves
  not_permitted,   ///< mechanism or key usage: the configuration is wrong
  unknown,         ///< device error and everything unlisted
};

[[nodiscard]] std::string ckr_name(ReturnValue rv);  ///< "CKR_DEVICE_ERROR", or the number in hexadecimal
[[nodiscard]] Fault classify(ReturnValue rv) noexcept;

/// The Error for a failed call: ids "token.session_lost", "token.login_lost", "token.handle_stale", "token.gone", "token.exhausted",
/// "token.pin_incorrect", "token.pin_locked", "token.not_permitted", "token.failed". The detail names function and value.
[[nodiscard]] Error token_error(ReturnValue rv, std::string_view function);
/// Throws it unless `rv` is CKR_OK.
void check(ReturnValue rv, std::string_view function);

}  // namespace estia::hsm
