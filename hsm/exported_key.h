// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/secure_bytes.h"
#include "crypto/keys/public_key.h"

namespace estia::hsm {

/// The private key that a token wrapped, as clients expect it: a DER PrivateKeyInfo (RFC 5208;
/// version 0) to the last byte, an EC key with its public key in the ECPrivateKey (RFC 5915), as
/// OpenSSL writes it. `exported` is what the unwrapping gave: SoftHSM fills it up with zeros to 8
/// bytes and leaves the public key out.
///
/// The private values are checked against `public_key`, of a known kind. The key's bytes are in the
/// secure heap only, whatever happens: read here, since OpenSSL's decoders leave the number of an
/// EC key behind in ordinary memory (3.0). Throws Error{token, "token.wrap_malformed"} for anything
/// but one key and under 8 zeros, Error{token, "token.wrap_mismatch"} for another key. Any thread.
[[nodiscard]] SecureBytes exact_pkcs8(ByteView exported, const crypto::PublicKey& public_key);

}  // namespace estia::hsm
