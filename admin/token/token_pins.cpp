// SPDX-License-Identifier: Apache-2.0
#include "admin/token/token_pins.h"

#include <algorithm>
#include <array>

#include "crypto/base/error.h"
#include "hsm/ckr.h"

namespace estia::admin {
namespace {

/// As PKCS#11 names them in its answers.
constexpr std::array<const char*, 3> kNewPinRefused = {"CKR_PIN_INVALID", "CKR_PIN_LEN_RANGE",
                                                       "CKR_PIN_TOO_WEAK"};

/// What the failure of a change means: refused for certain, or perhaps done before the answer was
/// lost.
[[noreturn]] void change_failed(Libp11Token& token, const char* function, PinOwner owner) {
  try {
    token.fail(function, owner);
  } catch (const Error& error) {
    const bool not_taken = std::ranges::any_of(kNewPinRefused, [&](const char* name) {
      return error.detail().find(name) != std::string::npos;
    });
    if (not_taken) {
      throw Error(ErrorCode::config, "token.pin", "the token does not take such a PIN",
                  error.detail());
    }
    // What was refused for its kind, or for want of a login, was not done.
    if (error.id().starts_with("token.pin_") || error.id() == "token.unsupported" ||
        error.id() == "token.login_lost") {
      throw;
    }
    throw Error(ErrorCode::token, "token.pin_unknown",
                "it is not known whether the token has the new PIN",
                error.id() + ": " + error.detail());
  }
}

bool change(Libp11Token& token, const PinText& before, const PinText& after) {
  ::ERR_clear_error();
  return ::PKCS11_open_session(&token.slot(), 1) == 0 &&
         ::PKCS11_change_pin(&token.slot(), before.c_str(), after.c_str()) == 0;
}

}  // namespace

void set_user_pin(const TokenPlace& place, const Secret& so_pin, const Secret& user_pin) {
  Libp11Token token(place);
  token.login(PinOwner::security_officer, so_pin);
  const PinText text(user_pin);
  if (::PKCS11_init_pin(token.slot().token, text.c_str()) != 0) {
    change_failed(token, "C_InitPIN", PinOwner::security_officer);
  }
}

void change_pin(const TokenPlace& place, PinOwner owner, const Secret& old_pin,
                const Secret& new_pin) {
  Libp11Token token(place);
  // Most let whoever knows the user's PIN change it, without a login; the SO's nobody does.
  if (owner == PinOwner::security_officer) {
    token.login(owner, old_pin);
  }
  const PinText before(old_pin);
  const PinText after(new_pin);
  bool changed = change(token, before, after);
  if (!changed && owner == PinOwner::user && Libp11Token::last_answer() == CKR_USER_NOT_LOGGED_IN) {
    token.login(owner, old_pin);  // as NSS wants it; the PIN was not tried before
    changed = change(token, before, after);
  }
  if (!changed) {
    token.note_if_refused(owner, old_pin);
    change_failed(token, "C_SetPIN", owner);
  }
}

void try_user_pin(const TokenPlace& place, const Secret& pin) {
  Libp11Token(place).login(PinOwner::user, pin);
}

}  // namespace estia::admin
