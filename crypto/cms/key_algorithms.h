// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"

namespace estia::crypto {

// The algorithms by which a generated key may be encrypted for its client (EST-4.4.1-e), as rows of
// tables: `cipher` and `digest` are OpenSSL's names.

/// AES key wrap (RFC 3394), or with padding (RFC 5649).
struct KeyWrap {
  std::string_view oid;
  std::string_view cipher;
  unsigned bits;  ///< of the key that wraps
  bool operator==(const KeyWrap& other) const noexcept { return oid == other.oid; }
};
[[nodiscard]] const std::vector<KeyWrap>& known_key_wraps();

/// RSA key transport: RSAES-OAEP with one digest for label and mask (RFC 4055 4.1), or PKCS#1 v1.5.
struct KeyTransport {
  std::string_view oid;
  std::string_view digest;  ///< empty for PKCS#1 v1.5
  std::string_view digest_oid;
  bool operator==(const KeyTransport& other) const noexcept = default;
};
/// OAEP with SHA-256, 384 and 512, and rsaEncryption. SHA-1, OAEP's default, is not among them, as
/// nowhere where a client names an algorithm (EST-6-h).
[[nodiscard]] const std::vector<KeyTransport>& known_key_transports();

/// Ephemeral-static ECDH: dhSinglePass-stdDH with the X9.63 KDF (RFC 5753 7.1.4).
struct KeyAgreementScheme {
  std::string_view oid;
  std::string_view digest;  ///< of the KDF
  bool operator==(const KeyAgreementScheme& other) const noexcept { return oid == other.oid; }
};
[[nodiscard]] const std::vector<KeyAgreementScheme>& known_key_agreement_schemes();

/// AES-CBC: what EnvelopedData can have; GCM needs AuthEnvelopedData (EST-4.4.2-f).
struct ContentCipher {
  std::string_view oid;
  std::string_view cipher;
  unsigned bits;
  bool operator==(const ContentCipher& other) const noexcept { return oid == other.oid; }
};
/// The weakest first.
[[nodiscard]] const std::vector<ContentCipher>& known_content_ciphers();

/// AlgorithmIdentifier without parameters (RFC 3565 2.3.2).
[[nodiscard]] Bytes algorithm_identifier(const KeyWrap& wrap);
/// RSAES-OAEP-params (RFC 4055 4.1) with this AlgorithmIdentifier of a digest for label and mask.
[[nodiscard]] Bytes oaep_parameters(ByteView digest);
/// With explicit parameters for OAEP, and with NULL for rsaEncryption.
[[nodiscard]] Bytes algorithm_identifier(const KeyTransport& transport);

}  // namespace estia::crypto
