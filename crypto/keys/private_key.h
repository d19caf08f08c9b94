// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "crypto/base/bytes.h"
#include "crypto/base/error.h"
#include "crypto/base/secret.h"
#include "crypto/keys/public_key.h"

namespace estia::crypto {

/// A handle to a private key, shared by its copies; never its bytes. For a CA it is a key inside a
/// token (hsm::Token makes those); the only software key of the product is the TLS server's. Safe
/// from any thread.
class PrivateKey final {
 public:
  /// Adopts an EVP_PKEY of library(). `public_half` is what signatures are checked against:
  /// OpenSSL's own object may not tell.
  PrivateKey(EvpPkeyPtr key, PublicKey public_half);

  /// A new software key, for the TLS server key and tests. Throws Error{internal} if OpenSSL fails.
  [[nodiscard]] static PrivateKey generate_software(const KeySpec& spec);
  /// PKCS#8 PEM, unencrypted (a 0600 file). Throws Error{config, "key.pem"}.
  [[nodiscard]] static PrivateKey from_pem(const Secret& pem);
  /// Software keys only: PKCS#8 PEM. Throws Error{internal, "key.not_exportable"} for a token key.
  [[nodiscard]] Secret to_pem() const;

  /// Signs the whole message (not a digest: Ed25519 and ML-DSA cannot pre-hash). Returns the
  /// signature as certificates carry it (DER for ECDSA). Errors of the token come through as the
  /// Error{token, ...} that hsm raised; others are Error{internal}.
  [[nodiscard]] Bytes sign(ByteView message, const SignatureAlgorithm& algorithm) const;
  [[nodiscard]] Bytes sign(ByteView message) const {
    return sign(message, SignatureAlgorithm::for_key(public_half_));
  }

  [[nodiscard]] const PublicKey& public_key() const noexcept { return public_half_; }
  [[nodiscard]] EVP_PKEY* evp() const noexcept { return key_.get(); }  ///< borrowed

 private:
  struct Prepared;
  [[nodiscard]] EvpMdCtxPtr begin(const SignatureAlgorithm& algorithm) const;

  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<Prepared> prepared_;
  PublicKey public_half_;
};

/// An OpenSSL provider cannot throw through OpenSSL's C frames. hsm's signing provider leaves its
/// Error here (per thread), and PrivateKey::sign, and any other caller of OpenSSL with token keys,
/// takes it back after a failure.
void leave_pending_error(const Error& error) noexcept;
/// Rethrows and clears what leave_pending_error left on this thread; returns if there is nothing.
void rethrow_pending_error();
void clear_pending_error() noexcept;

}  // namespace estia::crypto
