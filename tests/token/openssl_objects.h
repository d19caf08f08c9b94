// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/keys/private_key.h"
#include "crypto/openssl/owned.h"

namespace estia::hsm {

/// A self-signed certificate made with OpenSSL's own calls over that key. `digest` as for
/// X509_sign, nullptr for Ed25519. Throws what the token threw.
[[nodiscard]] crypto::X509Ptr self_signed(const crypto::PrivateKey& key, const EVP_MD* digest);

/// What OpenSSL hashes with for that kind of key: SHA-256, nullptr for Ed25519.
[[nodiscard]] const EVP_MD* digest_for(const crypto::PrivateKey& key);

}  // namespace estia::hsm
