// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/secure_bytes.h"
#include "crypto/cms/key_recipient.h"

namespace estia::crypto {

/// A DER ContentInfo with EnvelopedData for one recipient (EST-4.4.2-c to -g) around
/// `signed_data`, the DER SignedData of signed_key_package(): kekri (version 4), ktri (version 2)
/// or kari (version 3, ephemeral key, ukm), so EnvelopedData is version 2. The content key is
/// random and, like all that leads to it, in the secure heap; content key, IV and ukm come from
/// the kernel, the ephemeral key from OpenSSL's generator for private keys. Throws Error{internal,
/// "openssl.failed"} and what SecureBytes throws. Any thread.
[[nodiscard]] Bytes enveloped_key(const SecureBytes& signed_data, const KeyRecipient& recipient);

}  // namespace estia::crypto
