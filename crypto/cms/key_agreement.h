// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/secure_bytes.h"
#include "crypto/cms/key_recipient.h"

namespace estia::crypto {

/// A wrapping key that the recipient can derive too, from its private key and the other two.
struct AgreedKey {
  SecureBytes key;
  Bytes ephemeral_point;  ///< uncompressed, on the recipient's curve
  Bytes ukm;              ///< random; so that one shared secret never gives one key twice
};

/// Ephemeral-static ECDH, then the X9.63 KDF over ECC-CMS-SharedInfo (RFC 5753 7.2). The ephemeral
/// key is new for each call and forgotten. Throws Error{internal, "openssl.failed"}. Any thread.
[[nodiscard]] AgreedKey agree_on_key(const KeyRecipient::Agreement& agreement);

}  // namespace estia::crypto
