// SPDX-License-Identifier: Apache-2.0
#include "hsm/key_proof.h"

#include <openssl/evp.h>

#include <array>

#include "crypto/base/random.h"
#include "crypto/openssl/require.h"
#include "hsm/ckr.h"
#include "hsm/key_signature.h"

namespace estia::hsm {
namespace {

std::string new_text() {
  std::array<std::uint8_t, 32> nonce;
  random_fill(nonce);
  return "Estia key check " + to_hex(nonce);
}

CK_MECHANISM_TYPE mechanism_of(KeyKind kind) {
  switch (kind) {
    case KeyKind::ec:
      return CKM_ECDSA;
    case KeyKind::rsa:
      return CKM_RSA_PKCS;
    case KeyKind::ed25519:
      break;
  }
  return CKM_EDDSA;
}

Bytes input_of(KeyKind kind, const std::string& text) {
  const ByteView bytes = as_bytes(text);
  if (kind == KeyKind::ed25519) {
    return {bytes.begin(), bytes.end()};
  }
  const SignDigest& digest = *SignDigest::find("SHA2-256");
  Bytes hash(digest.size);
  crypto::require(
      ::EVP_Digest(bytes.data(), bytes.size(), hash.data(), nullptr, digest.md(), nullptr),
      "EVP_Digest");
  return kind == KeyKind::rsa ? digest_info(digest, hash) : hash;
}

}  // namespace

ProofText::ProofText(KeyKind kind)
    : mechanism_(mechanism_of(kind)), input_(input_of(kind, new_text())) {}

bool ProofText::proves(const crypto::PublicKey& key, ByteView raw_signature) {
  return verifies(key, mechanism_, input_, encoded_signature(key, raw_signature));
}

void prove_key(const crypto::PrivateKey& key, const std::string& name) {
  const std::string text = new_text();
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
  const Bytes signature = key.sign(as_bytes(text), algorithm);
  if (!key.public_key().verify(as_bytes(text), signature, algorithm)) {
    throw key_mismatch(name);
  }
}

Error key_mismatch(const std::string& name) {
  return token_unavailable("token.key_mismatch",
                           "the key's signature is not one of its public key: the token signs "
                           "wrongly, or has another private key beside it: " +
                               name);
}

}  // namespace estia::hsm
