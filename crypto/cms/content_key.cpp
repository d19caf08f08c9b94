// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/content_key.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <array>
#include <string>

#include "crypto/cms/oaep.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/owned.h"
#include "crypto/openssl/require.h"

namespace estia::crypto {
namespace {

constexpr std::size_t kMaxGrowth = 16;  // a block of padding, or of key wrap

/// `key` and `iv` have the sizes of the cipher; key wraps have the IV of their RFC.
Bytes encrypt(std::string_view cipher, ByteView key, ByteView iv, ByteView plain) {
  const EvpCipherPtr algorithm(require(
      ::EVP_CIPHER_fetch(library(), std::string(cipher).c_str(), nullptr), "EVP_CIPHER_fetch"));
  require(
      key.size() == static_cast<std::size_t>(::EVP_CIPHER_get_key_length(algorithm.get())) ? 1 : 0,
      "key length");
  const EvpCipherCtxPtr context(require(::EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new"));
  ::EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  require(::EVP_EncryptInit_ex2(context.get(), algorithm.get(), key.data(),
                                iv.empty() ? nullptr : iv.data(), nullptr),
          "EVP_EncryptInit_ex2");
  Bytes out(plain.size() + kMaxGrowth);
  int first = 0;
  int last = 0;
  require(::EVP_EncryptUpdate(context.get(), out.data(), &first, plain.data(),
                              static_cast<int>(plain.size())),
          "EVP_EncryptUpdate");
  require(::EVP_EncryptFinal_ex(context.get(), out.data() + first, &last), "EVP_EncryptFinal_ex");
  out.resize(static_cast<std::size_t>(first + last));
  return out;
}

}  // namespace

Bytes encrypt_content(const ContentCipher& cipher, const SecureBytes& key, ByteView iv,
                      const SecureBytes& content) {
  return encrypt(cipher.cipher, key.view(), iv, content.view());
}

Bytes wrap_key(const KeyWrap& wrap, ByteView wrapping_key, const SecureBytes& content_key) {
  return encrypt(wrap.cipher, wrapping_key, {}, content_key.view());
}

Bytes encrypt_key(const KeyRecipient::Transport& transport, const SecureBytes& content_key) {
  const auto size = static_cast<std::size_t>(::EVP_PKEY_get_size(transport.key.evp()));
  const SecureBytes encoded = oaep_encoded(content_key, transport.algorithm.digest, size);
  const EvpPkeyCtxPtr context(
      require(::EVP_PKEY_CTX_new_from_pkey(library(), transport.key.evp(), nullptr),
              "EVP_PKEY_CTX_new_from_pkey"));
  std::string padding(OSSL_PKEY_RSA_PAD_MODE_NONE);
  const std::array<OSSL_PARAM, 2> params = {
      ::OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, padding.data(), 0),
      ::OSSL_PARAM_construct_end()};
  require(::EVP_PKEY_encrypt_init_ex(context.get(), params.data()), "EVP_PKEY_encrypt_init_ex");
  Bytes out(size);
  std::size_t written = out.size();
  require(::EVP_PKEY_encrypt(context.get(), out.data(), &written, encoded.view().data(),
                             encoded.size()),
          "EVP_PKEY_encrypt");
  out.resize(written);
  return out;
}

}  // namespace estia::crypto
