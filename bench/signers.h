// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bench/turns.h"
#include "crypto/keys/private_key.h"
#include "hsm/token.h"
#include "hsm/token_core.h"

namespace estia::bench {

/// Whether each signature is verified by OpenSSL in the same thread, as a CA does with its own.
enum class Verified { no, yes };

/// Signatures by crypto::PrivateKey::sign, whatever key that is: one of hsm::Token, or one of
/// OpenSSL's own; it outlives the way. An operation throws what sign() throws, and
/// std::runtime_error for a signature that does not verify.
[[nodiscard]] Way sign_with(const crypto::PrivateKey& key, std::size_t threads, Verified verified);

/// A login to a token that others of this process may share, and a session for each of so many
/// threads, opened here and kept.
class BareSessions final {
 public:
  /// Throws as hsm::Token::open.
  BareSessions(const hsm::TokenConfig& config, std::size_t threads);

  [[nodiscard]] hsm::Attachment& attached() const noexcept { return *attached_; }
  [[nodiscard]] CK_SESSION_HANDLE of(std::size_t thread) const {
    return sessions_.at(thread).handle();
  }

 private:
  const hsm::TokenCore core_;
  const std::shared_ptr<hsm::Attachment> attached_;
  std::vector<hsm::SessionPool::Lease> sessions_;
};

/// C_SignInit and C_Sign, and nothing of ours around them: the hash is made before. `sessions`
/// outlives this, and this the ways. As many threads as `sessions` has.
class BareSigner final {
 public:
  /// Which object signs: the key itself, or a copy of it in a session, which is what hsm/ uses.
  enum class Object { key, copy };

  /// Throws as hsm::Token::key.
  BareSigner(const BareSessions& sessions, const std::string& label,
             const crypto::PublicKey& public_half, Object object);

  /// An operation throws Error{token}; with `verified` as sign_with().
  [[nodiscard]] Way sign(std::size_t threads, Verified verified) const;

 private:
  [[nodiscard]] ByteView sign_once(CK_SESSION_HANDLE session, Bytes& buffer) const;

  const BareSessions& sessions_;
  const crypto::PublicKey public_half_;
  CK_OBJECT_HANDLE object_ = CK_INVALID_HANDLE;
  CK_MECHANISM_TYPE mechanism_;
  Bytes input_;  ///< of C_Sign
};

}  // namespace estia::bench
