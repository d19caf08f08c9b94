// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"

namespace estia::crypto {

/// scrypt (RFC 7914) with N = 2^14, r = 8, p = 1: 16 MiB and about a tenth of a second, so that
/// guessing costs that much too. 32 bytes. Any thread.
[[nodiscard]] Bytes scrypt(ByteView password, ByteView salt);

/// HMAC-SHA-256. Any thread.
[[nodiscard]] Bytes hmac_sha256(ByteView key, ByteView message);

}  // namespace estia::crypto
