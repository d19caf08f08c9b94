// SPDX-License-Identifier: Apache-2.0
#include "tests/token/openssl_objects.h"

#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"

namespace estia::hsm {

using crypto::require;

namespace {

/// As a peer sees it. The object that was signed still holds the token key, which cannot verify.
crypto::X509Ptr parsed_again(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = ::i2d_X509(certificate, &der);
  require(size > 0 ? 1 : 0, "i2d_X509");
  const crypto::OpenSslPtr<unsigned char> owned(der);
  X509* fresh = require(::X509_new_ex(crypto::library(), nullptr), "X509_new_ex");
  const unsigned char* at = der;
  crypto::X509Ptr made(::d2i_X509(&fresh, &at, size));
  require(made.get(), "d2i_X509");
  return made;
}

}  // namespace

crypto::X509Ptr self_signed(const crypto::PrivateKey& key, const EVP_MD* digest) {
  crypto::X509Ptr made(require(::X509_new_ex(crypto::library(), nullptr), "X509_new_ex"));
  X509* x = made.get();
  require(::X509_set_version(x, X509_VERSION_3), "X509_set_version");
  require(::ASN1_INTEGER_set(::X509_get_serialNumber(x), 1), "ASN1_INTEGER_set");
  require(::X509_gmtime_adj(::X509_getm_notBefore(x), -60), "X509_gmtime_adj");
  require(::X509_gmtime_adj(::X509_getm_notAfter(x), 3600), "X509_gmtime_adj");
  const crypto::X509NamePtr name(require(::X509_NAME_new(), "X509_NAME_new"));
  require(
      ::X509_NAME_add_entry_by_txt(name.get(), "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0),
      "X509_NAME_add_entry_by_txt");
  require(::X509_set_subject_name(x, name.get()), "X509_set_subject_name");
  require(::X509_set_issuer_name(x, name.get()), "X509_set_issuer_name");
  require(::X509_set_pubkey(x, key.evp()), "X509_set_pubkey");  // the token key itself: it exports
  crypto::clear_pending_error();
  if (::X509_sign(x, key.evp(), digest) <= 0) {
    crypto::rethrow_pending_error();
    require(0, "X509_sign");
  }
  return parsed_again(x);
}

const EVP_MD* digest_for(const crypto::PrivateKey& key) {
  return ::EVP_PKEY_is_a(key.evp(), "ED25519") == 1 ? nullptr : ::EVP_sha256();
}

}  // namespace estia::hsm
