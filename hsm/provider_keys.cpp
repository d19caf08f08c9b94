// SPDX-License-Identifier: Apache-2.0
// Key management of the signing provider: what OpenSSL may ask about a token key.
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <cstring>

#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "hsm/provider_parts.h"

namespace estia::hsm::provider {
namespace {

const KeyData* as_key(const void* data) noexcept {
  return static_cast<const KeyData*>(data);
}

EVP_PKEY* public_half(const void* data) noexcept {
  const KeyData* key = as_key(data);
  return key == nullptr || !key->key ? nullptr : key->key->public_key().evp();
}

void* make(void* /*provider*/) {
  return guarded([]() -> void* { return new KeyData; });
}

void release(void* data) {
  delete static_cast<KeyData*>(data);
}

void* duplicate(const void* data, int /*selection*/) {
  return guarded([&]() -> void* { return new KeyData(*as_key(data)); });
}

int has(const void* data, int selection) {
  constexpr int kAnswerable = OSSL_KEYMGMT_SELECT_KEYPAIR | OSSL_KEYMGMT_SELECT_ALL_PARAMETERS;
  return public_half(data) != nullptr && (selection & ~kAnswerable) == 0 ? 1 : 0;
}

/// Two keys are the same key if their public halves are.
int match(const void* a, const void* b, int /*selection*/) {
  EVP_PKEY* first = public_half(a);
  EVP_PKEY* second = public_half(b);
  return first != nullptr && second != nullptr && ::EVP_PKEY_eq(first, second) == 1 ? 1 : 0;
}

template <KeyKind Kind>
int import(void* data, int /*selection*/, const OSSL_PARAM parameters[]) {
  const OSSL_PARAM* parameter = ::OSSL_PARAM_locate_const(parameters, kKeyParameter);
  const std::shared_ptr<const SigningKey>* key = nullptr;
  if (parameter == nullptr || parameter->data_type != OSSL_PARAM_OCTET_STRING ||
      parameter->data_size != sizeof key) {
    return 0;  // a public key of somebody else: not for us
  }
  std::memcpy(&key, parameter->data, sizeof key);
  if (key == nullptr || !*key || (*key)->kind() != Kind) {
    return 0;
  }
  static_cast<KeyData*>(data)->key = *key;
  return 1;
}

const OSSL_PARAM* import_types(int selection) {
  static const OSSL_PARAM types[] = {OSSL_PARAM_octet_string(kKeyParameter, nullptr, 0),
                                     OSSL_PARAM_END};
  return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ? types : nullptr;
}

/// Public selections only. With an answer to a private one OpenSSL would move the key to its own
/// provider and sign there, without a private key.
int export_public(void* data, int selection, OSSL_CALLBACK* callback, void* argument) {
  EVP_PKEY* key = public_half(data);
  if (key == nullptr || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
    return 0;
  }
  return ::EVP_PKEY_export(key, selection, callback, argument);
}

template <KeyKind Kind>
const OSSL_PARAM* export_types(int selection) {
  static const OSSL_PARAM ec[] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                                  OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                  OSSL_PARAM_END};
  static const OSSL_PARAM rsa[] = {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                   OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
                                   OSSL_PARAM_END};
  static const OSSL_PARAM ed25519[] = {OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
                                       OSSL_PARAM_END};
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
    return nullptr;
  }
  return Kind == KeyKind::ec ? ec : Kind == KeyKind::rsa ? rsa : ed25519;
}

int get_parameters(void* data, OSSL_PARAM parameters[]) {
  EVP_PKEY* key = public_half(data);
  return key == nullptr ? 0 : ::EVP_PKEY_get_params(key, parameters);
}

/// The list of OpenSSL's own key management, since its public key answers.
template <KeyKind Kind>
const OSSL_PARAM* gettable_parameters(void* /*provider*/) {
  static EVP_KEYMGMT* const own = ::EVP_KEYMGMT_fetch(crypto::library(),
                                                      Kind == KeyKind::ec    ? "EC"
                                                      : Kind == KeyKind::rsa ? "RSA"
                                                                             : "ED25519",
                                                      "provider=default");
  return own == nullptr ? nullptr : ::EVP_KEYMGMT_gettable_params(own);
}

template <KeyKind Kind>
const char* operation_name(int operation) {
  if (operation != OSSL_OP_SIGNATURE) {
    return nullptr;
  }
  return Kind == KeyKind::ec ? "ECDSA" : Kind == KeyKind::rsa ? "RSA" : "ED25519";
}

template <KeyKind Kind>
const OSSL_DISPATCH* functions() {
  static const auto table = std::to_array<OSSL_DISPATCH>({
      entry(OSSL_FUNC_KEYMGMT_NEW, make),
      entry(OSSL_FUNC_KEYMGMT_FREE, release),
      entry(OSSL_FUNC_KEYMGMT_DUP, duplicate),
      entry(OSSL_FUNC_KEYMGMT_HAS, has),
      entry(OSSL_FUNC_KEYMGMT_MATCH, match),
      entry(OSSL_FUNC_KEYMGMT_IMPORT, import <Kind>),
      entry(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, import_types),
      entry(OSSL_FUNC_KEYMGMT_EXPORT, export_public),
      entry(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, export_types<Kind>),
      entry(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_parameters),
      entry(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable_parameters<Kind>),
      entry(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation_name<Kind>),
      {0, nullptr},
  });
  return table.data();
}

}  // namespace

const OSSL_ALGORITHM* key_managements() {
  static const auto table = std::to_array<OSSL_ALGORITHM>({
      {kEcNames, kProperties, functions<KeyKind::ec>(), "EC key in a token"},
      {kRsaNames, kProperties, functions<KeyKind::rsa>(), "RSA key in a token"},
      {kEd25519Names, kProperties, functions<KeyKind::ed25519>(), "Ed25519 key in a token"},
      {nullptr, nullptr, nullptr, nullptr},
  });
  return table.data();
}

}  // namespace estia::hsm::provider
