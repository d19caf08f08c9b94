// SPDX-License-Identifier: Apache-2.0
#include "hsm/login_session.h"

#include <array>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/ckr.h"
#include "hsm/turn.h"

namespace estia::hsm {

namespace {

void check_same_token(const Module& module, const Slot& slot) {
  const TokenInfo now = read_slot(module, slot.id).token;
  if (now.label != slot.token.label || now.serial != slot.token.serial) {
    throw token_error(CKR_TOKEN_NOT_PRESENT, "another token came into the slot");
  }
}

/// CKR_OK while a user is logged in.
CK_RV ask_state(const Module& module, CK_SESSION_HANDLE session) noexcept {
  CK_SESSION_INFO info{};
  const CK_RV rv = module->C_GetSessionInfo(session, &info);
  const bool user = info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS;
  return rv == CKR_OK && !user ? CKR_USER_NOT_LOGGED_IN : rv;
}

LoginSession::Login meaning_of(CK_RV state) noexcept {
  if (state == CKR_OK) {
    return LoginSession::Login::held;
  }
  const Remedy told = remedy(classify(state));
  const bool over =
      told == Remedy::new_session || told == Remedy::new_login || told == Remedy::restart_module;
  return over ? LoginSession::Login::lost : LoginSession::Login::unknown;
}

/// Without a login private keys are not shown: they would be taken for missing.
void check_holds(const Module& module, CK_SESSION_HANDLE session, CK_RV answer) {
  const CK_RV state = ask_state(module, session);
  if (meaning_of(state) == LoginSession::Login::lost) {
    throw token_error(state, "C_Login (answer " + ckr_name(answer) + "), then C_GetSessionInfo");
  }
}

}  // namespace

LoginSession::LoginSession(std::shared_ptr<const Module> module, const Slot& slot,
                           CK_FLAGS read_write, const Secret& pin, std::chrono::milliseconds wait,
                           const Attempt& attempt)
    : module_(std::move(module)), generation_(module_->generation()), wait_(wait) {
  if (pin.empty()) {
    throw Error(ErrorCode::config, "token.pin_empty", "an empty PIN is no PIN");
  }
  const Module::Use use(*module_, generation_);
  const Module& call = *module_;
  check(call->C_OpenSession(slot.id, CKF_SERIAL_SESSION | read_write, nullptr, nullptr, &handle_),
        "C_OpenSession");
  module_->sessions().add(generation_, handle_);
  try {
    check_same_token(call, slot);  // a session ends with the token that it was opened to
    Secret copy = pin.clone();     // the call wants it writable
    attempt.begins();
    const CK_RV rv =
        call->C_Login(handle_, CKU_USER, const_cast<CK_UTF8CHAR*>(copy.view().data()), copy.size());
    if (classify(rv) == Fault::pin) {
      attempt.refused();
    }
    if (rv != CKR_USER_ALREADY_LOGGED_IN) {
      check(rv, "C_Login");
    }
    attempt.ends();
    check_holds(call, handle_, rv);
  } catch (...) {
    module_->sessions().remove(generation_, handle_);
    static_cast<void>(call->C_CloseSession(handle_));
    throw;
  }
}

LoginSession::~LoginSession() {
  close();
}

void LoginSession::close() noexcept {
  const Turn turn(free_, std::chrono::milliseconds(0));
  if (turn.mine() && handle_ != CK_INVALID_HANDLE) {
    module_->sessions().remove(generation_, handle_);
    use_if_current(*module_, generation_,
                   [&] { static_cast<void>((*module_)->C_CloseSession(handle_)); });
    handle_ = CK_INVALID_HANDLE;
  }
}

CK_OBJECT_HANDLE LoginSession::copy_or_same(CK_OBJECT_HANDLE key) {
  const Turn turn(free_, wait_);
  if (!turn.mine()) {
    return key;
  }
  const Module::Use in_use(*module_, generation_);
  CK_BBOOL no = CK_FALSE;
  std::array<CK_ATTRIBUTE, 1> session_object = {{{CKA_TOKEN, &no, sizeof no}}};
  CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;
  const CK_RV rv =
      (*module_)->C_CopyObject(handle_, key, session_object.data(), session_object.size(), &copy);
  return rv == CKR_OK ? copy : key;
}

void LoginSession::destroy(CK_OBJECT_HANDLE copy) noexcept {
  const Turn turn(free_, wait_);
  if (turn.mine() && handle_ != CK_INVALID_HANDLE) {
    use_if_current(*module_, generation_,
                   [&] { static_cast<void>((*module_)->C_DestroyObject(handle_, copy)); });
  }
}

void LoginSession::lend(const std::function<void(CK_SESSION_HANDLE)>& use) {
  const Turn turn(free_, wait_);
  if (!turn.mine()) {
    throw Error(ErrorCode::busy, "token.sessions_exhausted", "the token is busy, try again later",
                "the session of the login was not free in time");
  }
  const Module::Use in_use(*module_, generation_);
  use(handle_);
}

std::optional<CK_SESSION_HANDLE> LoginSession::take(
    std::chrono::steady_clock::time_point deadline) {
  return free_.try_acquire_until(deadline) ? std::optional(handle_) : std::nullopt;
}

LoginSession::Login LoginSession::state() noexcept {
  const Turn turn(free_, std::chrono::milliseconds(0));
  if (!turn.mine()) {
    return Login::held;  // in use at this moment: health must not wait
  }
  CK_RV rv = CKR_CRYPTOKI_NOT_INITIALIZED;
  use_if_current(*module_, generation_, [&] { rv = ask_state(*module_, handle_); });
  return meaning_of(rv);
}

}  // namespace estia::hsm
