// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/error.h"
#include "crypto/keys/public_key.h"
#include "hsm/sign_mechanism.h"

namespace estia::hsm {

enum class KeyKind { ec, rsa, ed25519 };

/// What the signing provider (signing_provider.h) signs with: a private key in a token, whoever
/// speaks to the token for it. Any thread.
class SigningKey {
 public:
  virtual ~SigningKey() = default;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  SigningKey(SigningKey&&) = delete;
  SigningKey& operator=(SigningKey&&) = delete;

  [[nodiscard]] virtual KeyKind kind() const noexcept = 0;
  [[nodiscard]] virtual const crypto::PublicKey& public_key() const noexcept = 0;
  /// Longest signature that sign() gives: DER for ECDSA.
  [[nodiscard]] virtual std::size_t longest_signature() const noexcept = 0;
  /// One signature over `input` (a hash, DigestInfo or message, as the mechanism wants it). ECDSA
  /// comes back as DER. Throws Error{token} and Error{busy}.
  [[nodiscard]] virtual Bytes sign(SignMechanism& mechanism, ByteView input) const = 0;

 protected:
  SigningKey() = default;
};

/// What sign() throws for `error`: whoever asks for a signature is not told what the token lacks,
/// nor that it is somebody's mistake.
[[nodiscard]] Error refusal_to_sign(const Error& error);

}  // namespace estia::hsm
