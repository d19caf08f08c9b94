// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/error.h"
#include "crypto/keys/private_key.h"
#include "hsm/sign_mechanism.h"
#include "hsm/signing_key.h"

namespace estia::hsm {

/// What a key signs to prove itself: a text that is ours and random. It starts with "Estia key
/// check", so that it is no DER: a signature over it can never be that of a certificate, a CRL or a
/// request.
class ProofText final {
 public:
  explicit ProofText(KeyKind kind);

  /// For C_SignInit, and what C_Sign gets.
  [[nodiscard]] SignMechanism& mechanism() noexcept { return mechanism_; }
  [[nodiscard]] ByteView input() const noexcept { return input_; }
  /// Whether that is what a token answers whose private key belongs to that public one.
  [[nodiscard]] bool proves(const crypto::PublicKey& key, ByteView raw_signature);

 private:
  SignMechanism mechanism_;
  Bytes input_;
};

/// Proves that the key signs, and that its public half is the one it is known by. `name` is for the
/// message. Throws key_mismatch(), and what the key's sign() throws.
void prove_key(const crypto::PrivateKey& key, const std::string& name);

/// Error{token, "token.key_mismatch"}.
[[nodiscard]] Error key_mismatch(const std::string& name);

}  // namespace estia::hsm
