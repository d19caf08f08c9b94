// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "crypto/base/secure_bytes.h"

namespace estia::crypto {

/// EME-OAEP with an empty label and one digest for label and mask (RFC 8017 7.1.1, step 2): what is
/// then raised to the public exponent, `size` octets. Who has it has the message. OpenSSL 3.0's own
/// encoding lies in a buffer that it frees without wiping it; hence this one. Throws
/// Error{internal, "openssl.failed"} when the message is too long.
[[nodiscard]] SecureBytes oaep_encoded(const SecureBytes& message, std::string_view digest_name,
                                       std::size_t size);

}  // namespace estia::crypto
