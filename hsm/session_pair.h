// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <array>
#include <cstdint>

#include "crypto/keys/key_spec.h"
#include "hsm/module.h"
#include "hsm/session_pool.h"

namespace estia::hsm {

/// A key pair made for somebody else: it lives in the session that made it and goes with that
/// session, may leave the token wrapped, and may do nothing in it. Any session of the process may
/// wrap and destroy it (PKCS #11 6.7.7: an application's sessions see each other's objects).
struct SessionPair {
  CK_OBJECT_HANDLE private_object = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE public_object = CK_INVALID_HANDLE;
  /// CKA_ID of both, random: a handle may come to name another object, this does not.
  std::array<std::uint8_t, 16> id{};
};

/// One C_GenerateKeyPair. Throws Error{token}.
[[nodiscard]] SessionPair make_session_pair(const Module& module, CK_SESSION_HANDLE session,
                                            const crypto::KeySpec& spec);

/// Destroys a pair on every path out. One thread: `lease` is the session it uses, and closes when
/// an object could not be destroyed, which ends those that it made.
class PairGuard final {
 public:
  PairGuard(const Module& module, SessionPool::Lease& lease, SessionPair pair) noexcept
      : module_(module), lease_(lease), pair_(pair) {}
  ~PairGuard();
  PairGuard(const PairGuard&) = delete;
  PairGuard& operator=(const PairGuard&) = delete;
  PairGuard(PairGuard&&) = delete;
  PairGuard& operator=(PairGuard&&) = delete;

  [[nodiscard]] const SessionPair& pair() const noexcept { return pair_; }

  /// Destroys both objects now: no key is delivered that stays in the token. Tries the second one
  /// although the first one failed. Throws Error{token}.
  void destroy();

 private:
  [[nodiscard]] CK_RV destroy_objects() noexcept;

  const Module& module_;
  SessionPool::Lease& lease_;
  SessionPair pair_;
};

}  // namespace estia::hsm
