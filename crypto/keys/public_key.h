// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/keys/key_spec.h"
#include "crypto/keys/signature_algorithm.h"
#include "crypto/openssl/owned.h"

namespace estia::crypto {

/// A public key in library(). Immutable; copies share it; safe from any thread.
class PublicKey final {
 public:
  /// From a DER SubjectPublicKeyInfo; trailing bytes refused. Throws Error{malformed,
  /// "key.malformed"}.
  [[nodiscard]] static PublicKey from_spki(ByteView der);
  /// The same, or nullopt for what is not of a known kind in its usual encoding. Throws
  /// Error{malformed, "der.malformed"} only.
  [[nodiscard]] static std::optional<PublicKey> from_plain_spki(ByteView der);
  /// Re-made from the public half of any EVP_PKEY, so that no provider key hides in it (a token key
  /// cannot verify: hsm provider).
  [[nodiscard]] static PublicKey of(EVP_PKEY* key);

  [[nodiscard]] const Bytes& spki() const noexcept { return spki_; }
  /// The row of KeySpec::known() it is, nullopt for any other key (X25519, RSA-1024, explicit curve
  /// parameters, ...).
  [[nodiscard]] const std::optional<KeySpec>& spec() const noexcept { return spec_; }
  /// RFC 5280 4.2.1.2 method (1): SHA-1 over the BIT STRING's value. 20 bytes.
  [[nodiscard]] Bytes key_identifier() const;
  /// SHA-256 over the SubjectPublicKeyInfo: how uniqueness and retries name a key. 32 bytes.
  [[nodiscard]] Bytes fingerprint() const;
  /// One-shot verification of a whole message; false for a wrong signature, never an exception for
  /// one.
  [[nodiscard]] bool verify(ByteView message, ByteView signature,
                            const SignatureAlgorithm& algorithm) const;
  /// Before a stranger's signature is verified with it. Throws Error{malformed, "key.unsupported"}
  /// for an RSA key whose modulus or exponent makes that dear: over 8192 or 256 bits.
  void check_affordable() const;
  /// Throws Error{malformed, "key.weak"} for keys no CA should certify: RSA under 2048 bits, not a
  /// multiple of 8, even or small exponent (< 65537), modulus that ROCA or close-prime checks
  /// reject; EC points off the curve; kinds not in KeySpec::known()
  /// ("key.unsupported"). (X509-SPKI, CMC-8-b.)
  void check_strength() const;
  [[nodiscard]] EVP_PKEY* evp() const noexcept { return key_.get(); }  ///< borrowed
  bool operator==(const PublicKey& other) const noexcept { return spki_ == other.spki_; }

 private:
  PublicKey(std::shared_ptr<EVP_PKEY> key, Bytes spki);
  std::shared_ptr<EVP_PKEY> key_;
  Bytes spki_;
  std::optional<KeySpec> spec_;
};

}  // namespace estia::crypto
