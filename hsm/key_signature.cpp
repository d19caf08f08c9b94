// SPDX-License-Identifier: Apache-2.0
#include "hsm/key_signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/owned.h"
#include "crypto/openssl/require.h"
#include "hsm/ckr.h"

namespace estia::hsm {

KeyKind kind_of(const crypto::PublicKey& key) {
  if (!key.spec()) {
    throw Error(ErrorCode::config, "token.key_unsupported",
                "the token's key is of a kind or size that is not supported");
  }
  if (!key.spec()->curve_oid.empty()) {
    return KeyKind::ec;
  }
  return key.spec()->name == "Ed25519" ? KeyKind::ed25519 : KeyKind::rsa;
}

SignOutcome sign_once(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                      SignMechanism& mechanism, ByteView input, std::span<std::uint8_t> out) {
  CK_RV rv = module->C_SignInit(session, mechanism.get(), key);
  if (rv != CKR_OK) {
    return {rv, "C_SignInit", true, 0};
  }
  CK_ULONG size = out.size();
  rv = module->C_Sign(session, const_cast<CK_BYTE*>(input.data()), input.size(), out.data(), &size);
  return {rv, "C_Sign", classify(rv) == Fault::session_lost, size};
}

Bytes encoded_signature(const crypto::PublicKey& key, ByteView raw) {
  const KeyKind kind = kind_of(key);
  const std::size_t field = (key.spec()->bits + 7U) / 8U;
  const std::size_t expected = kind == KeyKind::rsa ? field : 2 * field;
  if (raw.size() != expected) {
    throw token_unavailable("token.signature_malformed",
                            "a signature of " + std::to_string(raw.size()) + " bytes in place of " +
                                std::to_string(expected));
  }
  if (kind != KeyKind::ec) {
    return {raw.begin(), raw.end()};
  }
  return der::sequence({der::integer(raw.first(field)), der::integer(raw.subspan(field))});
}

bool verifies(const crypto::PublicKey& key, SignMechanism& mechanism, ByteView input,
              ByteView signature) {
  const ErrorQueueGuard queue;
  if (kind_of(key) == KeyKind::ed25519) {  // over the message itself
    return key.verify(input, signature, crypto::SignatureAlgorithm::for_key(key));
  }
  const crypto::EvpPkeyCtxPtr context(
      crypto::require(::EVP_PKEY_CTX_new_from_pkey(crypto::library(), key.evp(), nullptr),
                      "EVP_PKEY_CTX_new_from_pkey"));
  crypto::require(::EVP_PKEY_verify_init(context.get()), "EVP_PKEY_verify_init");
  if (!set_padding(context.get(), *mechanism.get())) {
    throw Error(ErrorCode::internal, "token.signature_unsupported", "internal error",
                "a signature of that mechanism cannot be verified");
  }
  return ::EVP_PKEY_verify(context.get(), signature.data(), signature.size(), input.data(),
                           input.size()) == 1;
}

}  // namespace estia::hsm
