// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "crypto/keys/private_key.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "crypto/x509/crl.h"
#include "crypto/x509/name.h"

namespace estia::test {

/// What a CRL made by OpenSSL's own functions says; every value may be wrong on purpose.
struct CrlPlan {
  crypto::Name issuer{};
  std::vector<Bytes> revoked{};  ///< serial numbers
  Instant this_update{};
  std::optional<Instant> next_update{};
  int extension = 0;  ///< NID of one to add, with a value that means nothing; 0 = none
  bool critical = false;
  const char* digest = "SHA256";
};

/// DER.
[[nodiscard]] inline Bytes make_crl(const crypto::PrivateKey& key, const CrlPlan& plan) {
  using crypto::require;
  const crypto::X509CrlPtr crl(require(::X509_CRL_new_ex(crypto::library(), nullptr), "new"));
  const auto time = [](Instant at) {
    return crypto::Asn1TimePtr(require(::ASN1_TIME_set(nullptr, unix_seconds(at)), "time"));
  };
  require(::X509_CRL_set_version(crl.get(), 1), "version");
  require(::X509_CRL_set_issuer_name(crl.get(), plan.issuer.to_openssl().get()), "issuer");
  require(::X509_CRL_set1_lastUpdate(crl.get(), time(plan.this_update).get()), "lastUpdate");
  if (plan.next_update) {
    require(::X509_CRL_set1_nextUpdate(crl.get(), time(*plan.next_update).get()), "nextUpdate");
  }
  for (const Bytes& serial : plan.revoked) {
    X509_REVOKED* entry = require(::X509_REVOKED_new(), "revoked");
    const crypto::BignumPtr number(
        ::BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
    const crypto::Asn1IntegerPtr integer(::BN_to_ASN1_INTEGER(number.get(), nullptr));
    require(::X509_REVOKED_set_serialNumber(entry, integer.get()), "serial");
    require(::X509_REVOKED_set_revocationDate(entry, time(plan.this_update).get()), "date");
    require(::X509_CRL_add0_revoked(crl.get(), entry), "add");
  }
  if (plan.extension != 0) {
    const crypto::Asn1OctetStringPtr value(::ASN1_OCTET_STRING_new());
    const Bytes number{0x02, 0x01, 0x07};
    require(::ASN1_OCTET_STRING_set(value.get(), number.data(), static_cast<int>(number.size())),
            "value");
    const crypto::X509ExtensionPtr extension(::X509_EXTENSION_create_by_NID(
        nullptr, plan.extension, plan.critical ? 1 : 0, value.get()));
    require(::X509_CRL_add_ext(crl.get(), extension.get(), -1), "extension");
  }
  const crypto::EvpMdPtr digest(
      require(::EVP_MD_fetch(crypto::library(), plan.digest, nullptr), "EVP_MD_fetch"));
  require(::X509_CRL_sign(crl.get(), key.evp(), digest.get()) > 0 ? 1 : 0, "sign");
  unsigned char* out = nullptr;
  const int size = ::i2d_X509_CRL(crl.get(), &out);
  require(size > 0 ? 1 : 0, "i2d_X509_CRL");
  const crypto::OpenSslPtr<unsigned char> owned(out);
  return {out, out + size};
}

}  // namespace estia::test
