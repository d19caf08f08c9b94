// SPDX-License-Identifier: Apache-2.0
#include "admin/token/libp11_token.h"

#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "hsm/ckr.h"
#include "hsm/pin_marker.h"

namespace estia::admin {
namespace {

bool is_wanted(const PKCS11_SLOT& slot, const TokenPlace& place) {
  return slot.token != nullptr && slot.token->initialized != 0 &&
         (place.label.empty() || unpadded_text(slot.token->label) == place.label) &&
         (place.serial.empty() || unpadded_text(slot.token->serialnr) == place.serial);
}

std::string name_of(const TokenPlace& place) {
  return (place.label.empty() ? "" : " '" + place.label + "'") +
         (place.serial.empty() ? "" : " with serial " + place.serial);
}

PKCS11_SLOT* find(Libp11Context& context, const TokenPlace& place) {
  PKCS11_SLOT* found = nullptr;
  for (PKCS11_SLOT& slot : context.slots()) {
    if (!is_wanted(slot, place)) {
      continue;
    }
    if (found != nullptr) {
      throw Error(ErrorCode::config, "token.ambiguous",
                  "two tokens are called" + name_of(place) + ": give the serial number too");
    }
    found = &slot;
  }
  if (found == nullptr) {
    throw Error(ErrorCode::token, "token.not_found",
                "the module shows no initialised token" + name_of(place));
  }
  return found;
}

}  // namespace

unsigned long Libp11Token::last_answer() noexcept {
  const unsigned long code = ::ERR_peek_last_error();
  const bool of_module = code != 0 && ERR_GET_LIB(code) == ::ERR_get_CKR_code();
  return of_module ? static_cast<unsigned long>(ERR_GET_REASON(code)) : 0;
}

Libp11Token::Libp11Token(const TokenPlace& place)
    : context_(place.module, place.init_args), place_(place), slot_(find(context_, place)) {}

void Libp11Token::login(PinOwner owner, const Secret& pin) {
  const PinText text(pin);
  ::ERR_clear_error();
  // The session comes first: libp11 would open one that only reads.
  if (::PKCS11_open_session(slot_, 1) != 0 ||
      ::PKCS11_login(slot_, owner == PinOwner::security_officer ? 1 : 0, text.c_str()) != 0) {
    note_if_refused(owner, pin);
    fail("C_Login", owner);
  }
}

void Libp11Token::note_if_refused(PinOwner owner, const Secret& pin) noexcept {
  try {
    if (owner == PinOwner::user && last_answer() == CKR_PIN_INCORRECT && !place_.pin_file.empty() &&
        equal_constant_time(pin.view(), read_secret_file(place_.pin_file).view())) {
      hsm::PinMarker(place_.pin_marker).set(serial());
    }
  } catch (const std::exception&) {
    // Told all the same that it was refused; estiad has one attempt left, as without this.
  }
}

void Libp11Token::fail(const char* function, PinOwner owner) {
  const unsigned long rv = last_answer();
  ::ERR_clear_error();
  if (rv == 0) {
    throw hsm::token_unavailable("token.failed", std::string(function) + ": libp11 got no session");
  }
  const hsm::TokenError error = hsm::token_error(rv, function);
  if (error.fault() != hsm::Fault::pin) {
    throw Error(error);
  }
  throw Error(error.code(), error.id(), error.what() + attempts_left(owner), error.detail());
}

std::string Libp11Token::attempts_left(PinOwner owner) {
  context_.refresh();
  slot_ = find(context_, place_);
  const PKCS11_TOKEN& token = *slot_->token;
  const bool user = owner == PinOwner::user;
  if ((user ? token.userPinLocked : token.soPinLocked) != 0) {
    return "; it is locked now";
  }
  if ((user ? token.userPinFinalTry : token.soPinFinalTry) != 0) {
    return "; one more wrong PIN locks it";
  }
  if ((user ? token.userPinCountLow : token.soPinCountLow) != 0) {
    return "; the token says that fewer attempts are left than before";
  }
  return "; the token does not say how many attempts are left";
}

}  // namespace estia::admin
