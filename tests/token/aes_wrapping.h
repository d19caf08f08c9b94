// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/owned.h"
#include "crypto/openssl/require.h"
#include "hsm/wrap_mechanism.h"

namespace estia::test {

/// AES of that name, with the whole key.
[[nodiscard]] inline Bytes encrypt(const char* name, const Bytes& key, const std::uint8_t* iv,
                                   const Bytes& plain) {
  const crypto::Owned<EVP_CIPHER, EVP_CIPHER_free> cipher(
      crypto::require(::EVP_CIPHER_fetch(crypto::library(), name, nullptr), name));
  const crypto::Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context(
      crypto::require(::EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new"));
  ::EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  crypto::require(::EVP_EncryptInit_ex2(context.get(), cipher.get(), key.data(), iv, nullptr),
                  name);
  Bytes out(plain.size() + 32);
  int size = 0;
  int rest = 0;
  crypto::require(::EVP_EncryptUpdate(context.get(), out.data(), &size, plain.data(),
                                      static_cast<int>(plain.size())),
                  name);
  crypto::require(::EVP_EncryptFinal_ex(context.get(), out.data() + size, &rest), name);
  out.resize(static_cast<std::size_t>(size + rest));
  return out;
}

[[nodiscard]] inline Bytes with_pkcs7(Bytes plain, std::size_t block) {
  const std::size_t padding = block - plain.size() % block;
  plain.insert(plain.end(), padding, static_cast<std::uint8_t>(padding));
  return plain;
}

/// What a token gives out that is read so. `iv` is for CBC.
[[nodiscard]] inline Bytes wrap(hsm::WrapReading reading, const Bytes& key, const Bytes& iv,
                                const Bytes& plain) {
  switch (reading) {
    case hsm::WrapReading::rfc5649:
      return encrypt("AES-256-WRAP-PAD", key, nullptr, plain);
    case hsm::WrapReading::rfc3394_pkcs7:
      return encrypt("AES-256-WRAP", key, nullptr, with_pkcs7(plain, 8));
    case hsm::WrapReading::cbc_pkcs7:
      break;
  }
  return encrypt("AES-256-CBC", key, iv.data(), plain);
}

}  // namespace estia::test
