// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "crypto/base/secret.h"
#include "hsm/module.h"
#include "hsm/slots.h"
#include "hsm/turn.h"

namespace estia::hsm {

/// The session that logs in and is then kept, so that the login lives as long as we do. Session
/// copies of keys belong to it. Any thread; used by one at a time.
class LoginSession final {
 public:
  /// Who keeps account of PINs that are tried: each is called without any other call to the token
  /// in between, since one may hang.
  struct Attempt {
    std::function<void()> begins;  ///< before C_Login; what it throws keeps the PIN from being told
    std::function<void()> ends;    ///< C_Login has answered that the user is logged in
    std::function<void()> refused;  ///< the token refuses the PIN; may throw what is to be told
  };
  /// One attempt, never repeated: a wrong PIN counts against the token's limit. A login that
  /// somebody else in the process made is accepted. The PIN goes only to that token: another may
  /// have come into its slot. With `read_write` objects of the token can be made in it.
  /// A login of which the session's state says that it does not hold is an error, whatever C_Login
  /// answered; a session that does not tell its state is believed.
  /// Throws Error{config, "token.pin_empty"} before any call for an empty PIN (CVE-2023-40660),
  /// Error{token, "token.pin_..." | "token.login_lost" | "token.session_lost"}.
  LoginSession(std::shared_ptr<const Module> module, const Slot& slot, CK_FLAGS read_write,
               const Secret& pin, std::chrono::milliseconds wait, const Attempt& attempt);
  ~LoginSession();
  LoginSession(const LoginSession&) = delete;
  LoginSession& operator=(const LoginSession&) = delete;
  LoginSession(LoginSession&&) = delete;
  LoginSession& operator=(LoginSession&&) = delete;

  /// A copy of a token key that lives in this session: SoftHSM opens and locks files each time a
  /// token object is used. The object itself if the module makes no copies.
  [[nodiscard]] CK_OBJECT_HANDLE copy_or_same(CK_OBJECT_HANDLE key);
  void destroy(CK_OBJECT_HANDLE copy) noexcept;

  /// Lends the session for making objects that live as long as the login. Throws Error{busy,
  /// "token.sessions_exhausted"} when it is not free in time, and what `use` throws.
  void lend(const std::function<void(CK_SESSION_HANDLE)>& use);

  /// For a token that has no other session: it is the caller's until give_back(). nullopt when it
  /// is not free in time; a deadline that has passed does not wait.
  [[nodiscard]] std::optional<CK_SESSION_HANDLE> take(
      std::chrono::steady_clock::time_point deadline);
  void give_back() noexcept { free_.release(); }

  enum class Login {
    held,     ///< or the session is in use at this moment
    lost,     ///< the token says so
    unknown,  ///< it says nothing of the session: some modules never do
  };
  [[nodiscard]] Login state() noexcept;
  /// False if it knows for certain that nobody is logged in any more.
  [[nodiscard]] bool logged_in() noexcept { return state() != Login::lost; }

  /// Ends it, unless somebody uses it at this moment: then it goes with this object.
  void close() noexcept;

 private:
  const std::shared_ptr<const Module> module_;
  const Module::Generation generation_;
  const std::chrono::milliseconds wait_;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
  FairSemaphore free_;
};

}  // namespace estia::hsm
