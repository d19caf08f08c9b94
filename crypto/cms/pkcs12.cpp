// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/pkcs12.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/pkcs12.h>

#include <algorithm>
#include <array>
#include <string>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "crypto/cms/content_key.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"

namespace estia::crypto {
namespace {

constexpr std::uint32_t kIterations = 100'000;
constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kAesBlock = 16;
constexpr std::size_t kDigestSize = 32;
constexpr int kMacKey = 3;  // RFC 7292 B.3
constexpr std::string_view kData = "1.2.840.113549.1.7.1";

Bytes random_bytes(std::size_t size) {
  Bytes bytes(size);
  random_fill(bytes);
  return bytes;
}

/// `purpose` is PKCS12KDF's alone.
SecureBytes derived(const char* kdf_name, SecureBytes password, Bytes salt, int purpose) {
  const EvpKdfPtr kdf(require(::EVP_KDF_fetch(library(), kdf_name, nullptr), "EVP_KDF_fetch"));
  const EvpKdfCtxPtr context(require(::EVP_KDF_CTX_new(kdf.get()), "EVP_KDF_CTX_new"));
  std::string digest("SHA2-256");
  unsigned iterations = kIterations;
  std::array<OSSL_PARAM, 6> params = {
      ::OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, password.data(),
                                          password.size()),
      ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
      ::OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_ITER, &iterations),
      ::OSSL_PARAM_construct_end(),
      ::OSSL_PARAM_construct_end()};
  if (purpose != 0) {
    params[4] = ::OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS12_ID, &purpose);
  }
  SecureBytes key(kDigestSize);
  require(::EVP_KDF_derive(context.get(), key.data(), key.size(), params.data()), "EVP_KDF_derive");
  return key;
}

SecureBytes copied(ByteView bytes) {
  SecureBytes copy(bytes.size());
  std::ranges::copy(bytes, copy.span().begin());
  return copy;
}

/// BMPString with its end, as the MAC wants it (RFC 7292 B.1).
SecureBytes wide(const Secret& password) {
  unsigned char* out = nullptr;
  int size = 0;
  require(
      ::OPENSSL_utf82uni(password.text().data(), static_cast<int>(password.size()), &out, &size),
      "OPENSSL_utf82uni");
  SecureBytes copy = copied({out, static_cast<std::size_t>(size)});
  ::OPENSSL_clear_free(out, static_cast<std::size_t>(size));
  return copy;
}

/// EncryptedPrivateKeyInfo by PBES2 (RFC 8018 6.2, A.4).
Bytes shrouded(const SecureBytes& pkcs8, const Secret& password) {
  const Bytes salt = random_bytes(kSaltSize);
  const Bytes iv = random_bytes(kAesBlock);
  const ContentCipher& cipher = known_content_ciphers().back();
  const SecureBytes key = derived(OSSL_KDF_NAME_PBKDF2, copied(password.view()), salt, 0);
  const Bytes prf = der::sequence({der::oid("1.2.840.113549.2.9"), der::null()});
  const Bytes kdf = der::sequence(
      {der::oid("1.2.840.113549.1.5.12"),
       der::sequence({der::octet_string(salt), der::small_integer(kIterations), prf})});
  const Bytes scheme = der::sequence({der::oid(cipher.oid), der::octet_string(iv)});
  const Bytes pbes2 =
      der::sequence({der::oid("1.2.840.113549.1.5.13"), der::sequence({kdf, scheme})});
  return der::sequence({pbes2, der::octet_string(encrypt_content(cipher, key, iv, pkcs8))});
}

/// SafeBag, with the localKeyID that tells a reader which certificate is the key's.
Bytes bag(std::string_view type, const Bytes& value, const Bytes& local_key_id) {
  const Bytes attribute = der::sequence(
      {der::oid("1.2.840.113549.1.9.21"), der::set_of({der::octet_string(local_key_id)})});
  return der::sequence({der::oid(type), der::tlv(0xA0, value), der::set_of({attribute})});
}

Bytes data_content(const Bytes& content) {
  return der::sequence({der::oid(kData), der::tlv(0xA0, der::octet_string(content))});
}

/// MacData over the content of authSafe.
Bytes mac_data(const Bytes& authenticated_safe, const ShroudedKey& key) {
  Bytes mac(kDigestSize);
  std::size_t size = 0;
  require(::EVP_Q_mac(library(), "HMAC", nullptr, "SHA2-256", nullptr, key.mac_key.view().data(),
                      key.mac_key.size(), authenticated_safe.data(), authenticated_safe.size(),
                      mac.data(), mac.size(), &size),
          "EVP_Q_mac");
  const Bytes algorithm = der::sequence({der::oid("2.16.840.1.101.3.4.2.1"), der::null()});
  return der::sequence({der::sequence({algorithm, der::octet_string(mac)}),
                        der::octet_string(key.mac_salt), der::small_integer(kIterations)});
}

}  // namespace

ShroudedKey shroud_key(const SecureBytes& pkcs8, const Secret& password) {
  if (password.empty()) {
    throw Error(ErrorCode::internal, "pkcs12.password", "internal error",
                "a key was to be packed without a password");
  }
  ShroudedKey key{.bag_value = shrouded(pkcs8, password),
                  .mac_salt = random_bytes(kSaltSize),
                  .mac_key = SecureBytes()};
  key.mac_key = derived("PKCS12KDF", wide(password), key.mac_salt, kMacKey);
  return key;
}

Bytes pkcs12(const ShroudedKey& key, const Certificate& certificate) {
  const Bytes local_key_id = certificate.public_key().key_identifier();
  const Bytes certificate_value = der::sequence(
      {der::oid("1.2.840.113549.1.9.22.1"), der::tlv(0xA0, der::octet_string(certificate.der()))});
  const Bytes safe_contents =
      der::sequence({bag("1.2.840.113549.1.12.10.1.2", key.bag_value, local_key_id),
                     bag("1.2.840.113549.1.12.10.1.3", certificate_value, local_key_id)});
  const Bytes authenticated_safe = der::sequence({data_content(safe_contents)});
  return der::sequence(
      {der::small_integer(3), data_content(authenticated_safe), mac_data(authenticated_safe, key)});
}

}  // namespace estia::crypto
