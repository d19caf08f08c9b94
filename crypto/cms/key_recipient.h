// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/cms/smime_capabilities.h"
#include "crypto/keys/public_key.h"
#include "crypto/x509/certificate.h"

namespace estia::crypto {

/// Who can open a message encrypted for one, and by what: decided before anything is encrypted.
struct KeyRecipient {
  /// A secret key that both have.
  struct SecretKey {
    Secret key;
    KeyWrap wrap;
  };
  struct Transport {  ///< RSA
    PublicKey key;
    KeyTransport algorithm;
  };
  struct Agreement {  ///< ECDH with an ephemeral key on the curve of this one
    PublicKey key;
    KeyAgreement algorithm;
  };

  Bytes identifier;  ///< as the client sent it: it stands in the message
  ContentCipher cipher;
  std::variant<SecretKey, Transport, Agreement> method;
};

// The choice: the client's first algorithm that is as strong as its key (EST-4.4.2-f), else its
// strongest. Where the client lists content ciphers, one of those; otherwise the weakest that is as
// strong as the key. Both throw Error{malformed, "serverkeygen.no_common_algorithm"} (EST-4.4.1-d):
// there is no other way to send the key then.

/// AES of 16, 24 or 32 bytes, wrapped with a key of that size. Throws Error{config,
/// "serverkeygen.secret_key"} for another size.
[[nodiscard]] KeyRecipient secret_key_recipient(Bytes identifier, Secret key,
                                                const SmimeCapabilities& capabilities);

/// The certificate's subjectKeyIdentifier must be `identifier`: Error{malformed,
/// "serverkeygen.unknown_key"}. RSA by RSAES-OAEP, P-256, P-384 and P-521 by ECDH. Never
/// rsaEncryption: PKCS#1 v1.5 makes of every device that tells apart how decryption failed an
/// oracle for its key (Bleichenbacher; RFC 8017 7.2). The certificate must allow key encipherment
/// or key agreement, or restrict nothing (EST-4.4.1.2-a): Error{malformed,
/// "serverkeygen.key_usage"}. Throws what PublicKey::check_strength throws.
[[nodiscard]] KeyRecipient certificate_recipient(Bytes identifier, const Certificate& certificate,
                                                 const SmimeCapabilities& capabilities);

/// Error{malformed, "serverkeygen.no_common_algorithm"}; `why` is for the log.
[[noreturn]] void refuse_capabilities(const std::string& why);
/// The certificate's subjectKeyIdentifier must be `identifier`: Error{malformed,
/// "serverkeygen.unknown_key"}.
void require_identifier(const Certificate& certificate, const Bytes& identifier);

/// Whether a key could ever be encrypted for this certificate: its kind, strength and key usage, as
/// certificate_recipient wants them. Throws what that throws, whatever a client lists.
void check_recipient(const Certificate& certificate);

}  // namespace estia::crypto
