// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "hsm/module.h"
#include "hsm/token_core.h"

namespace estia::hsm {

/// Borrows a session of the pool for `use`, a function of its handle; one that saw an error is not
/// lent again. Throws what borrow() and `use` throw. Any thread.
template <class Use>
auto with_session(TokenCore& core, SessionKind kind, Use&& use) {
  const ErrorQueueGuard queue;
  SessionPool::Lease lease = core.pool().borrow(kind);
  try {
    return std::forward<Use>(use)(lease.handle());
  } catch (...) {
    lease.mark_broken();
    throw;
  }
}

}  // namespace estia::hsm
