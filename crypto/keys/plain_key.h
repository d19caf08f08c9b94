// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/openssl/owned.h"

namespace estia::crypto {

/// The key of a SubjectPublicKeyInfo of a known kind (KeySpec::known(), RSA of any size), written
/// as certificates should carry it: named curve and uncompressed point, RSA with NULL parameters,
/// Ed25519. Null for everything else, also for a point off its curve: OpenSSL's decoder is asked
/// then. It gives the same key, but asks every provider for every kind of key first, which costs
/// more than verifying a signature. Any thread.
[[nodiscard]] EvpPkeyPtr plain_key(ByteView spki);

}  // namespace estia::crypto
