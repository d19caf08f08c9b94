// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/keys/public_key.h"
#include "crypto/x509/certificate.h"
#include "crypto/x509/extension.h"
#include "crypto/x509/name.h"

namespace estia::crypto {

/// What goes into a certificate; the profile decides every field before it comes here.
struct CertificateContents {
  Bytes serial;  ///< big-endian, positive: 1 to 20 octets, top bit clear, not all zero
                 ///< (X509-4.1.2.2-a)
  Name issuer;
  Name subject;
  Instant not_before;  ///< whole seconds are written; UTCTime through 2049, GeneralizedTime from
                       ///< 2050 (X509-4.1.2.5-a)
  Instant not_after;   ///< inclusive
  PublicKey public_key;
  std::vector<Extension> extensions;  ///< in this order; an OID twice is refused
};

/// The DER TBSCertificate (v3), ready to be recorded and signed. Throws Error{internal,
/// "certificate.contents"} for contents no certificate may have.
[[nodiscard]] Bytes build_tbs(const CertificateContents& contents,
                              const SignatureAlgorithm& algorithm);

/// A certificate made here, as it is recorded and sent. It stays bytes: to parse what was built and
/// linted a moment ago costs more than everything else that making it takes.
class IssuedCertificate final {
 public:
  IssuedCertificate(Bytes serial, Bytes der) : serial_(std::move(serial)), der_(std::move(der)) {}

  [[nodiscard]] const Bytes& serial() const noexcept { return serial_; }  ///< as Certificate's
  [[nodiscard]] const Bytes& der() const noexcept { return der_; }
  /// Throws what Certificate::parse throws.
  [[nodiscard]] Certificate parsed() const { return Certificate::parse(der_); }

 private:
  Bytes serial_;
  Bytes der_;
};

/// SEQUENCE { tbs, AlgorithmIdentifier, BIT STRING } around exactly these bytes: what was recorded
/// is what is released. Whether the signature is one is not looked at. Throws Error{malformed,
/// "certificate.malformed"} for what has no serial number where a TBSCertificate has it.
[[nodiscard]] IssuedCertificate assemble_certificate(ByteView tbs,
                                                     const SignatureAlgorithm& algorithm,
                                                     ByteView signature);

}  // namespace estia::crypto
