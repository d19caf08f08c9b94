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
  gone,             ///< the token, its slot or its user PIN is gone
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

/// What is done about a fault, from the mildest: the rungs of recovery.h.
enum class Remedy {
  new_session,     ///< the same call once more, in another session
  new_login,       ///< another session that logs in; keys are found again
  restart_module,  ///< C_Finalize and C_Initialize, then the above
  look,            ///< whether the token answers otherwise; the module is restarted if not
  wait,            ///< for sessions of ours to come free
  operator_only,   ///< nothing by ourselves
  refuse,          ///< the request: another try would end alike
};
[[nodiscard]] Remedy remedy(Fault fault) noexcept;

[[nodiscard]] std::string_view to_string(Fault fault) noexcept;
[[nodiscard]] std::string_view to_string(Remedy remedy) noexcept;

/// Error{token} of a failed call, with the code that the module gave.
class TokenError final : public Error {
 public:
  TokenError(CK_RV rv, std::string_view function);
  [[nodiscard]] CK_RV rv() const noexcept { return rv_; }
  [[nodiscard]] const std::string& function() const noexcept { return function_; }
  [[nodiscard]] Fault fault() const noexcept { return classify(rv_); }

 private:
  CK_RV rv_;
  std::string function_;
};

/// Its id follows from the fault ("token.gone", ...); the detail names function and code.
[[nodiscard]] TokenError token_error(CK_RV rv, std::string_view function);

/// Error{token} for what is no failed call.
[[nodiscard]] Error token_unavailable(const std::string& id, const std::string& detail);

/// The same, sharing no text with it, for what one thread keeps and others throw: copies of
/// std::runtime_error share theirs by counts that ThreadSanitizer does not see.
[[nodiscard]] Error unshared(const Error& error);

/// Throws token_error unless `rv` is CKR_OK.
void check(CK_RV rv, std::string_view function);

}  // namespace estia::hsm
