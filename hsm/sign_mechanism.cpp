// SPDX-License-Identifier: Apache-2.0
#include "hsm/sign_mechanism.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "crypto/base/der.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"

namespace estia::hsm {
namespace {

constexpr std::array<SignDigest, 3> kDigests = {{
    {"SHA2-256", 32, "2.16.840.1.101.3.4.2.1", "1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11",
     CKM_SHA256, CKG_MGF1_SHA256},
    {"SHA2-384", 48, "2.16.840.1.101.3.4.2.2", "1.2.840.10045.4.3.3", "1.2.840.113549.1.1.12",
     CKM_SHA384, CKG_MGF1_SHA384},
    {"SHA2-512", 64, "2.16.840.1.101.3.4.2.3", "1.2.840.10045.4.3.4", "1.2.840.113549.1.1.13",
     CKM_SHA512, CKG_MGF1_SHA512},
}};

const std::array<EVP_MD*, kDigests.size()>& implementations() {
  static const auto* const fetched = [] {  // never freed, as library() is not
    auto* made = new std::array<EVP_MD*, kDigests.size()>;
    for (std::size_t i = 0; i < kDigests.size(); ++i) {
      (*made)[i] = crypto::require(
          ::EVP_MD_fetch(crypto::library(), kDigests[i].name.data(), nullptr), "EVP_MD_fetch");
    }
    return made;
  }();
  return *fetched;
}

Bytes context_tag(std::uint8_t number, ByteView value) {
  return der::tlv(static_cast<std::uint8_t>(0xA0U + number), value);
}

/// RFC 4055 2.1: sha256Identifier and its like have NULL parameters.
Bytes hash_identifier(const SignDigest& digest) {
  return der::sequence({der::oid(digest.oid), der::null()});
}

}  // namespace

const SignDigest* SignDigest::find(std::string_view name) {
  const std::string text(name);
  const auto& known = implementations();
  for (std::size_t i = 0; i < kDigests.size(); ++i) {
    if (::EVP_MD_is_a(known[i], text.c_str()) == 1) {
      return &kDigests[i];
    }
  }
  return nullptr;
}

const EVP_MD* SignDigest::md() const {
  return implementations()[static_cast<std::size_t>(this - kDigests.data())];
}

Bytes digest_info(const SignDigest& digest, ByteView hash) {
  return der::sequence({hash_identifier(digest), der::octet_string(hash)});
}

Bytes ecdsa_identifier(const SignDigest& digest) {
  return der::sequence({der::oid(digest.ecdsa_oid)});
}

Bytes rsa_pkcs1_identifier(const SignDigest& digest) {
  return der::sequence({der::oid(digest.rsa_oid), der::null()});
}

Bytes rsa_pss_identifier(const SignDigest& digest, unsigned salt) {
  const Bytes mask = der::sequence({der::oid("1.2.840.113549.1.1.8"), hash_identifier(digest)});
  const Bytes parameters =
      der::sequence({context_tag(0, hash_identifier(digest)), context_tag(1, mask),
                     context_tag(2, der::small_integer(salt))});
  return der::sequence({der::oid("1.2.840.113549.1.1.10"), parameters});
}

Bytes ed25519_identifier() {
  return der::sequence({der::oid("1.3.101.112")});
}

SignMechanism::SignMechanism(CK_MECHANISM_TYPE type) noexcept : mechanism_{type, nullptr, 0} {}

SignMechanism::SignMechanism(const SignDigest& pss_digest, unsigned salt) noexcept
    : pss_{pss_digest.hash, pss_digest.mgf, salt},
      mechanism_{CKM_RSA_PKCS_PSS, &pss_, sizeof pss_} {}

bool set_padding(EVP_PKEY_CTX* context, const CK_MECHANISM& mechanism) {
  if (mechanism.mechanism == CKM_ECDSA) {
    return true;
  }
  if (mechanism.mechanism == CKM_RSA_PKCS) {
    return ::EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  }
  if (mechanism.mechanism != CKM_RSA_PKCS_PSS) {
    return false;
  }
  const auto& pss = *static_cast<const CK_RSA_PKCS_PSS_PARAMS*>(mechanism.pParameter);
  const auto digest = std::ranges::find(kDigests, pss.hashAlg, &SignDigest::hash);
  return digest != kDigests.end() &&
         ::EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         ::EVP_PKEY_CTX_set_signature_md(context, digest->md()) == 1 &&
         ::EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest->md()) == 1 &&
         ::EVP_PKEY_CTX_set_rsa_pss_saltlen(context, static_cast<int>(pss.sLen)) == 1;
}

}  // namespace estia::hsm
