// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/key_agreement.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <string>

#include "crypto/base/der.h"
#include "crypto/base/random.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/owned.h"
#include "crypto/openssl/require.h"

namespace estia::crypto {
namespace {

constexpr std::size_t kUkmSize = 32;

EvpPkeyPtr ephemeral_key(EVP_PKEY* recipient) {
  const EvpPkeyCtxPtr context(require(::EVP_PKEY_CTX_new_from_pkey(library(), recipient, nullptr),
                                      "EVP_PKEY_CTX_new_from_pkey"));
  EVP_PKEY* key = nullptr;
  require(::EVP_PKEY_keygen_init(context.get()), "EVP_PKEY_keygen_init");
  require(::EVP_PKEY_generate(context.get(), &key), "EVP_PKEY_generate");
  return EvpPkeyPtr(key);
}

Bytes point_of(EVP_PKEY* key) {
  unsigned char* point = nullptr;
  const std::size_t size = ::EVP_PKEY_get1_encoded_public_key(key, &point);
  const OpenSslPtr<unsigned char> owned(point);
  require(size == 0 ? nullptr : point, "EVP_PKEY_get1_encoded_public_key");
  return {point, point + size};
}

SecureBytes shared_secret(EVP_PKEY* own, EVP_PKEY* theirs) {
  const EvpPkeyCtxPtr context(
      require(::EVP_PKEY_CTX_new_from_pkey(library(), own, nullptr), "EVP_PKEY_CTX_new_from_pkey"));
  require(::EVP_PKEY_derive_init(context.get()), "EVP_PKEY_derive_init");
  // Checks that the point is on the curve.
  require(::EVP_PKEY_derive_set_peer(context.get(), theirs), "EVP_PKEY_derive_set_peer");
  std::size_t size = 0;
  require(::EVP_PKEY_derive(context.get(), nullptr, &size), "EVP_PKEY_derive");
  SecureBytes secret(size);
  require(::EVP_PKEY_derive(context.get(), secret.data(), &size), "EVP_PKEY_derive");
  secret.shrink(size);
  return secret;
}

/// ECC-CMS-SharedInfo ::= SEQUENCE { keyInfo AlgorithmIdentifier, entityUInfo [0] EXPLICIT OCTET
/// STRING, suppPubInfo [2] EXPLICIT OCTET STRING }: the key wrap, the ukm, and the size of its key
/// in bits as 32 of them.
Bytes shared_info(const KeyWrap& wrap, const Bytes& ukm) {
  const Bytes bits{0, 0, static_cast<std::uint8_t>(wrap.bits >> 8U),
                   static_cast<std::uint8_t>(wrap.bits & 0xFFU)};
  return der::sequence({algorithm_identifier(wrap), der::tlv(0xA0, der::octet_string(ukm)),
                        der::tlv(0xA2, der::octet_string(bits))});
}

SecureBytes derived_key(const KeyAgreement& algorithm, SecureBytes secret, Bytes info) {
  const EvpKdfPtr kdf(
      require(::EVP_KDF_fetch(library(), OSSL_KDF_NAME_X963KDF, nullptr), "EVP_KDF_fetch"));
  const EvpKdfCtxPtr context(require(::EVP_KDF_CTX_new(kdf.get()), "EVP_KDF_CTX_new"));
  std::string digest(algorithm.scheme.digest);
  const std::array<OSSL_PARAM, 4> params = {
      ::OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
      ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      ::OSSL_PARAM_construct_end()};
  SecureBytes key(algorithm.wrap.bits / 8);
  require(::EVP_KDF_derive(context.get(), key.data(), key.size(), params.data()), "EVP_KDF_derive");
  return key;
}

}  // namespace

AgreedKey agree_on_key(const KeyRecipient::Agreement& agreement) {
  const EvpPkeyPtr ephemeral = ephemeral_key(agreement.key.evp());
  Bytes ukm(kUkmSize);
  random_fill(ukm);
  SecureBytes key =
      derived_key(agreement.algorithm, shared_secret(ephemeral.get(), agreement.key.evp()),
                  shared_info(agreement.algorithm.wrap, ukm));
  return {std::move(key), point_of(ephemeral.get()), std::move(ukm)};
}

}  // namespace estia::crypto
