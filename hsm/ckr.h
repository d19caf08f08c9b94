// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <string>
#include <string_view>

#include "crypto/base/error.h"

namespace estia::hsm {

/// What a PKCS #11 return value means for us.
enum class Fault {
  session_lost,     ///< this session is gone; another may do
  stale_handle,     ///< the object handle names nothing any more
  gone,             ///< the token or its slot is gone
  exhausted,        ///< no memory or sessions left in the token
  login_lost,       ///< nobody is logged in any more
  pin,              ///< the PIN is wrong, locked or expired: never try again by ourselves
  configuration,    ///< the key, mechanism or module cannot do what is asked: retrying is useless
  not_initialized,  ///< somebody finalised the module, or a fork lost it
  unknown,          ///< device error and everything else
};

[[nodiscard]] Fault classify(CK_RV rv) noexcept;

/// "CKR_DEVICE_ERROR (0x30)"; codes that PKCS #11 does not define are "CKR_? (0x...)".
[[nodiscard]] std::string ckr_name(CK_RV rv);

/// The Error{token} for a failed call. Its id follows from the fault ("token.gone", ...); the
/// detail names function and code.
[[nodiscard]] Error token_error(CK_RV rv, std::string_view function);

/// Throws token_error unless `rv` is CKR_OK.
void check(CK_RV rv, std::string_view function);

}  // namespace estia::hsm
