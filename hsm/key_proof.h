// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/keys/private_key.h"

namespace estia::hsm {

/// Proves that the key signs, and that its public half is the one it is known by: it signs a text
/// that is ours and random, and the signature is verified and thrown away. The text starts with
/// "Estia key check", so that it is no DER: a signature over it can never be that of a certificate,
/// a CRL or a request. `name` is for the message. Throws Error{token, "token.key_mismatch"}, and
/// what the key's sign() throws.
void prove_key(const crypto::PrivateKey& key, const std::string& name);

}  // namespace estia::hsm
