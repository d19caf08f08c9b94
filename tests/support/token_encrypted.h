// SPDX-License-Identifier: Apache-2.0
// What a client does with a key that the token encrypted, by OpenSSL alone.
#pragma once

#include <openssl/rsa.h>

#include <array>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/keys/private_key.h"
#include "crypto/keys/token_encryption.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/owned.h"
#include "crypto/openssl/require.h"

namespace estia::test {

[[nodiscard]] inline Bytes opened_content_key(const crypto::PrivateKey& recipient,
                                              const std::string& digest, const Bytes& encrypted) {
  const crypto::EvpPkeyCtxPtr context(crypto::require(
      ::EVP_PKEY_CTX_new_from_pkey(crypto::library(), recipient.evp(), nullptr), "context"));
  crypto::require(::EVP_PKEY_decrypt_init(context.get()), "init");
  crypto::require(::EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING), "OAEP");
  crypto::require(::EVP_PKEY_CTX_set_rsa_oaep_md_name(context.get(), digest.c_str(), nullptr),
                  "digest");
  Bytes key(encrypted.size());
  std::size_t size = key.size();
  crypto::require(
      ::EVP_PKEY_decrypt(context.get(), key.data(), &size, encrypted.data(), encrypted.size()),
      "EVP_PKEY_decrypt");
  key.resize(size);
  return key;
}

/// The PrivateKeyInfo, and whatever stands behind it. Throws Error when it does not open.
[[nodiscard]] inline Bytes opened(const crypto::PrivateKey& recipient,
                                  const crypto::TokenRecipient& by,
                                  const crypto::TokenEncryptedKey& key) {
  const Bytes content_key = opened_content_key(recipient, by.oaep_digest, key.content_key);
  const bool cbc = by.cipher == crypto::TokenCipher::aes256_cbc;
  const crypto::Owned<EVP_CIPHER, EVP_CIPHER_free> cipher(crypto::require(
      ::EVP_CIPHER_fetch(crypto::library(), cbc ? "AES-256-CBC" : "AES-256-WRAP-PAD", nullptr),
      "cipher"));
  const crypto::Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context(
      crypto::require(::EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new"));
  ::EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  crypto::require(
      static_cast<int>(content_key.size()) == ::EVP_CIPHER_get_key_length(cipher.get()) ? 1 : 0,
      "a content key of 32 octets");
  crypto::require(::EVP_DecryptInit_ex2(context.get(), cipher.get(), content_key.data(),
                                        cbc ? key.iv.data() : nullptr, nullptr),
                  "EVP_DecryptInit_ex2");
  Bytes out(key.content.size() + 32);
  int size = 0;
  int rest = 0;
  crypto::require(::EVP_DecryptUpdate(context.get(), out.data(), &size, key.content.data(),
                                      static_cast<int>(key.content.size())),
                  "EVP_DecryptUpdate");
  crypto::require(::EVP_DecryptFinal_ex(context.get(), out.data() + size, &rest),
                  "EVP_DecryptFinal_ex");
  out.resize(static_cast<std::size_t>(size + rest));
  return out;
}

}  // namespace estia::test
