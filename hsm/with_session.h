// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>
#include <utility>

#include "hsm/attachment.h"
#include "hsm/ckr.h"
#include "hsm/module.h"
#include "hsm/token_core.h"

namespace estia::hsm {

/// Borrows a session of the pool for `use`, a function of its handle; one that saw an error is not
/// lent again. Throws what borrow() and `use` throw. Any thread.
template <class Use>
auto with_session(Attachment& attached, SessionKind kind, Use&& use) {
  const ErrorQueueGuard queue;
  const Module::Use in_use(attached.module(), attached.generation());
  SessionPool::Lease lease = attached.pool().borrow(kind);
  try {
    return std::forward<Use>(use)(lease.handle());
  } catch (...) {
    lease.mark_broken();
    throw;
  }
}

/// What is gone with an attachment, the next one has again.
[[nodiscard]] inline bool another_attachment_may_do(Fault fault) noexcept {
  return fault == Fault::session_lost || fault == Fault::stale_handle ||
         fault == Fault::login_lost || fault == Fault::not_initialized || fault == Fault::gone;
}

/// Calls `operation`. Private objects are not shown while nobody is logged in: what is not found
/// then is no object that is missing, but a lost login.
template <class Operation>
decltype(auto) unless_logged_out(const std::shared_ptr<Attachment>& attached,
                                 Operation&& operation) {
  try {
    return operation(attached);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found && !attached->login().logged_in()) {
      throw token_error(CKR_USER_NOT_LOGGED_IN, error.id());
    }
    throw;
  }
}

/// Calls `operation`, a function of the attachment, and once more with the next one if this one was
/// lost meanwhile: what it does must be nothing that may not happen twice. Every fault is reported.
/// Throws what TokenCore::attachment and `operation` throw. Any thread.
template <class Operation>
auto with_recovery(TokenCore& core, Operation&& operation) {
  for (bool last = false;; last = true) {
    const std::shared_ptr<Attachment> attached = core.attachment();
    try {
      if constexpr (std::is_void_v<decltype(operation(attached))>) {
        unless_logged_out(attached, operation);
        core.recovery().report_success();
        return;
      } else {
        auto result = unless_logged_out(attached, operation);
        core.recovery().report_success();
        return result;
      }
    } catch (const TokenError& error) {
      core.recovery().statistics().failed(error.rv());
      // What fails alike in the next attachment is this operation's trouble, not the token's.
      if (!last || remedy(error.fault()) == Remedy::look) {
        core.recovery().report(*attached, error.fault());
      }
      if (last || !another_attachment_may_do(error.fault())) {
        throw;
      }
    }
  }
}

/// Both: an operation that needs one session.
template <class Use>
auto with_session(TokenCore& core, SessionKind kind, Use&& use) {
  return with_recovery(core, [&](const std::shared_ptr<Attachment>& attached) {
    return with_session(*attached, kind,
                        [&](CK_SESSION_HANDLE session) { return use(*attached, session); });
  });
}

}  // namespace estia::hsm
