// SPDX-License-Identifier: Apache-2.0
#include "hsm/key_proof.h"

#include <array>

#include "crypto/base/error.h"
#include "crypto/base/random.h"

namespace estia::hsm {

void prove_key(const crypto::PrivateKey& key, const std::string& name) {
  std::array<std::uint8_t, 32> nonce;
  random_fill(nonce);
  const std::string text = "Estia key check " + to_hex(nonce);
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
  const Bytes signature = key.sign(as_bytes(text), algorithm);
  if (!key.public_key().verify(as_bytes(text), signature, algorithm)) {
    throw Error(ErrorCode::token, "token.key_mismatch",
                "the key's signature is not one of its public key: the token signs wrongly, or has "
                "another private key beside it: " +
                    name);
  }
}

}  // namespace estia::hsm
