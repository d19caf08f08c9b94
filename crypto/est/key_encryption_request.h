// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "crypto/base/bytes.h"
#include "crypto/cms/smime_capabilities.h"
#include "crypto/x509/csr.h"

namespace estia::crypto {

/// A client of serverkeygen asks that the key made for it is encrypted beyond TLS (RFC 7030 4.4.1).
struct KeyEncryptionRequest {
  enum class Key {
    secret,      ///< a secret key known to both: DecryptKeyIdentifier (EST-4.4.1.1-a)
    asymmetric,  ///< a public key of the client: AsymmetricDecryptKeyIdentifier (EST-4.4.1.2-a)
  };
  Key key;
  Bytes identifier;  ///< names the key, 1 to 255 bytes without structure
  SmimeCapabilities capabilities;
};

/// What the request's attributes ask for; nullopt without a key identifier: SMIMECapabilities alone
/// ask for nothing. Never taken for absent when it is broken (EST-4.4.1-d). Throws Error{malformed}
/// with "serverkeygen.two_identifiers", "serverkeygen.capabilities_missing",
/// "serverkeygen.attribute_malformed".
[[nodiscard]] std::optional<KeyEncryptionRequest> key_encryption_request(const Csr& csr);

/// One value of either identifier attribute, an OCTET STRING. Throws Error{malformed,
/// "serverkeygen.attribute_malformed"}.
[[nodiscard]] Bytes parse_decrypt_key_identifier(ByteView der);

}  // namespace estia::crypto
