// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/cms/smime_capabilities.h"
#include "crypto/keys/token_encryption.h"
#include "crypto/x509/certificate.h"

namespace estia::crypto {

// serverkeygen with keys that are encrypted inside the token: EnvelopedData around the bare
// PrivateKeyInfo, which departs from EST-4.4.2-c (no SignedData, no AsymmetricKeyPackage: who
// cannot see the key cannot make them).

/// The certificate's subjectKeyIdentifier must be `identifier`, its key RSA. Of the client's
/// RSAES-OAEP digests the first that the token has too; SHA-1, OAEP's default, as the last resort
/// and only where the client lists it. AES-CBC before key wrap, but of what the client
/// lists; who lists neither gets AES-CBC. Throws Error{malformed, "serverkeygen.unknown_key" |
/// "serverkeygen.no_common_algorithm" | "serverkeygen.hsm_wrapped_kind"}, what check_recipient
/// throws.
[[nodiscard]] TokenRecipient token_recipient(const Bytes& identifier,
                                             const Certificate& certificate,
                                             const SmimeCapabilities& capabilities,
                                             const TokenEncryption& able);

/// A DER ContentInfo with EnvelopedData (version 2) for this recipient; the content's type is
/// id-data. Any thread.
[[nodiscard]] Bytes token_envelope(const Bytes& identifier, const TokenRecipient& recipient,
                                   const TokenEncryptedKey& key);

}  // namespace estia::crypto
