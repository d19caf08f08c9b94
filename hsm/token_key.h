// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <cstdint>
#include <memory>

#include "crypto/base/bytes.h"
#include "crypto/keys/public_key.h"
#include "hsm/sign_mechanism.h"

namespace estia::hsm {

class TokenCore;

enum class KeyKind { ec, rsa, ed25519 };

/// An object handle and when it was resolved: it must not be used in another epoch.
struct KeyHandle {
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  std::uint64_t epoch = 0;
};

/// A private key in a token, ready to sign. Immutable; any thread.
class TokenKey final {
 public:
  /// Makes the session copy. `public_half` has a spec (else Error{config,
  /// "token.key_unsupported"}).
  TokenKey(std::shared_ptr<TokenCore> core, KeyHandle token_object, crypto::PublicKey public_half);
  ~TokenKey();  ///< gives up the session copy
  TokenKey(const TokenKey&) = delete;
  TokenKey& operator=(const TokenKey&) = delete;
  TokenKey(TokenKey&&) = delete;
  TokenKey& operator=(TokenKey&&) = delete;

  [[nodiscard]] KeyKind kind() const noexcept { return kind_; }
  [[nodiscard]] const crypto::PublicKey& public_key() const noexcept { return public_half_; }

  /// Longest signature that sign() gives: DER for ECDSA.
  [[nodiscard]] std::size_t longest_signature() const noexcept;

  /// One C_SignInit and one C_Sign over `input` (a hash, DigestInfo or message, as the mechanism
  /// wants it). ECDSA comes back as DER. A failure that another session may not have is tried once
  /// more on a new one (first rung of the recovery ladder). Throws Error{token}, Error{busy}.
  [[nodiscard]] Bytes sign(SignMechanism& mechanism, ByteView input) const;

 private:
  [[nodiscard]] Bytes encoded(ByteView raw) const;

  const std::shared_ptr<TokenCore> core_;
  const crypto::PublicKey public_half_;
  const KeyKind kind_;
  const KeyHandle token_object_;
  const KeyHandle signing_object_;  // the copy in the login session, or the same
};

}  // namespace estia::hsm
