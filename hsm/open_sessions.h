// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <cstdint>
#include <mutex>
#include <set>
#include <utility>

#include "hsm/ckr.h"

namespace estia::hsm {

/// Our sessions in one module, of all its tokens: a module that gives one of them away once more
/// would have two threads in it, at which some end the process. Any thread.
class OpenSessions final {
 public:
  /// Of a C_OpenSession that succeeded, in that generation of the module. Throws TokenError for a
  /// session that is ours already: whoever asked must neither use nor close it.
  void add(std::uint64_t generation, CK_SESSION_HANDLE session) {
    const std::scoped_lock lock(mutex_);
    if (session == CK_INVALID_HANDLE || !open_.emplace(generation, session).second) {
      throw token_error(CKR_SESSION_HANDLE_INVALID,
                        "C_OpenSession gives a session that is open already");
    }
  }
  /// Before C_CloseSession: its number may come again at once.
  void remove(std::uint64_t generation, CK_SESSION_HANDLE session) noexcept {
    const std::scoped_lock lock(mutex_);
    open_.erase({generation, session});
  }

 private:
  std::mutex mutex_;
  std::set<std::pair<std::uint64_t, CK_SESSION_HANDLE>> open_;
};

}  // namespace estia::hsm
