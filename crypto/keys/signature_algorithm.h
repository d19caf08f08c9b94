// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/bytes.h"

namespace estia::crypto {

class PublicKey;

/// How messages are signed: the AlgorithmIdentifier that stands in certificates, and the digest
/// OpenSSL needs.
struct SignatureAlgorithm {
  std::string name;  ///< "ecdsa-with-SHA256", ...
  std::string oid;
  std::string
      digest;  ///< "SHA2-256", "SHA2-384"; empty where the algorithm hashes by itself (Ed25519)
  Bytes algorithm_identifier;  ///< DER of the AlgorithmIdentifier, parameters as RFC 3279/5758/8410
                               ///< say (RSA: NULL, ECDSA and EdDSA: absent)

  /// What a CA with this key uses: P-256 SHA-256, P-384 SHA-384, P-521 SHA-512, RSA SHA-256 (PKCS#1
  /// v1.5), Ed25519. Throws Error{malformed, "key.unsupported"} for a key that cannot sign.
  [[nodiscard]] static const SignatureAlgorithm& for_key(const PublicKey& key);
};

}  // namespace estia::crypto
