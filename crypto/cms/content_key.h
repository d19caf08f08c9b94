// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/secure_bytes.h"
#include "crypto/cms/key_recipient.h"

namespace estia::crypto {

// What is done with a content key, by OpenSSL: its contexts hold the key meanwhile and are wiped by
// it. All throw Error{internal, "openssl.failed"}.

/// AES-CBC with PKCS#7 padding (RFC 5652 6.3).
[[nodiscard]] Bytes encrypt_content(const ContentCipher& cipher, const SecureBytes& key,
                                    ByteView iv, const SecureBytes& content);

/// AES key wrap, with or without padding.
[[nodiscard]] Bytes wrap_key(const KeyWrap& wrap, ByteView wrapping_key,
                             const SecureBytes& content_key);

/// RSAES-OAEP with an empty label.
[[nodiscard]] Bytes encrypt_key(const KeyRecipient::Transport& transport,
                                const SecureBytes& content_key);

}  // namespace estia::crypto
