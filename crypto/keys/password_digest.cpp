// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/password_digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <cstdint>

#include "crypto/openssl/library.h"
#include "crypto/openssl/owned.h"
#include "crypto/openssl/require.h"

namespace estia::crypto {
namespace {


constexpr std::size_t kDigestBytes = 32;

}  // namespace

Bytes scrypt(ByteView password, ByteView salt) {
  const EvpKdfPtr kdf(require(::EVP_KDF_fetch(library(), "SCRYPT", nullptr), "EVP_KDF_fetch"));
  const EvpKdfCtxPtr context(require(::EVP_KDF_CTX_new(kdf.get()), "EVP_KDF_CTX_new"));
  std::uint64_t cost = 1U << 14U;
  std::uint32_t block = 8;
  std::uint32_t parallel = 1;
  // OpenSSL takes what it only reads as void*.
  const std::array parameters{
      ::OSSL_PARAM_construct_octet_string(
          OSSL_KDF_PARAM_PASSWORD, const_cast<std::uint8_t*>(password.data()), password.size()),
      ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
                                          const_cast<std::uint8_t*>(salt.data()), salt.size()),
      ::OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &cost),
      ::OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &block),
      ::OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &parallel),
      ::OSSL_PARAM_construct_end()};
  Bytes digest(kDigestBytes);
  require(::EVP_KDF_derive(context.get(), digest.data(), digest.size(), parameters.data()),
          "EVP_KDF_derive(SCRYPT)");
  return digest;
}

Bytes hmac_sha256(ByteView key, ByteView message) {
  Bytes mac(kDigestBytes);
  std::size_t size = 0;
  require(::EVP_Q_mac(library(), "HMAC", nullptr, "SHA2-256", nullptr, key.data(), key.size(),
                      message.data(), message.size(), mac.data(), mac.size(), &size) != nullptr
              ? 1
              : 0,
          "EVP_Q_mac(HMAC)");
  return mac;
}

}  // namespace estia::crypto
