// SPDX-License-Identifier: Apache-2.0
#include "hsm/oaep_wrap.h"

#include <openssl/core_names.h>

#include <algorithm>

#include "crypto/base/error.h"
#include "crypto/openssl/key_number.h"
#include "hsm/ckr.h"
#include "hsm/objects.h"
#include "hsm/session_object.h"

namespace estia::hsm {
namespace {

Bytes number_of(const crypto::PublicKey& key, const char* name) {
  const crypto::BignumPtr number = crypto::key_number(key.evp(), name);
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  static_cast<void>(::BN_bn2bin(number.get(), bytes.data()));
  return bytes;
}

/// It wraps, and does nothing else.
Template public_template(const crypto::PublicKey& key) {
  Template wanted;
  wanted.number(CKA_CLASS, CKO_PUBLIC_KEY).number(CKA_KEY_TYPE, CKK_RSA);
  wanted.flag(CKA_TOKEN, false).flag(CKA_PRIVATE, false).flag(CKA_WRAP, true);
  wanted.flag(CKA_ENCRYPT, false).flag(CKA_VERIFY, false).flag(CKA_VERIFY_RECOVER, false);
  wanted.bytes(CKA_MODULUS, number_of(key, OSSL_PKEY_PARAM_RSA_N));
  wanted.bytes(CKA_PUBLIC_EXPONENT, number_of(key, OSSL_PKEY_PARAM_RSA_E));
  return wanted;
}

CK_RSA_PKCS_OAEP_PARAMS parameters(std::string_view digest) {
  struct Row {
    std::string_view digest;
    CK_MECHANISM_TYPE hash;
    CK_RSA_PKCS_MGF_TYPE mask;
  };
  constexpr std::array<Row, 4> kRows{{{"SHA2-256", CKM_SHA256, CKG_MGF1_SHA256},
                                      {"SHA2-384", CKM_SHA384, CKG_MGF1_SHA384},
                                      {"SHA2-512", CKM_SHA512, CKG_MGF1_SHA512},
                                      {"SHA1", CKM_SHA_1, CKG_MGF1_SHA1}}};
  const auto* const row = std::ranges::find(kRows, digest, &Row::digest);
  if (row == kRows.end()) {
    throw token_error(CKR_MECHANISM_PARAM_INVALID, "RSAES-OAEP with " + std::string(digest));
  }
  return {row->hash, row->mask, CKZ_DATA_SPECIFIED, nullptr, 0};
}

}  // namespace

Bytes oaep_wrap(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                const crypto::PublicKey& recipient, std::string_view digest) {
  CK_RSA_PKCS_OAEP_PARAMS oaep = parameters(digest);
  CK_MECHANISM wrapping{CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep};
  auto key = SessionObject::created(module, session, public_template(recipient));
  Bytes wrapped(static_cast<std::size_t>(::EVP_PKEY_get_size(recipient.evp())));
  CK_ULONG size = wrapped.size();
  check(module->C_WrapKey(session, &wrapping, key.handle(), object, wrapped.data(), &size),
        "C_WrapKey");
  key.destroy();
  if (size != wrapped.size()) {
    throw token_unavailable("token.wrap_failed",
                            "RSAES-OAEP gives " + std::to_string(size) + " bytes");
  }
  return wrapped;
}

}  // namespace estia::hsm
