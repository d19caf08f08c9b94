// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/keys/public_key.h"
#include "crypto/x509/name.h"

namespace estia::crypto {

/// A parsed CRL of a foreign CA, in library(). Immutable; copies share it; any thread.
class Crl final {
 public:
  /// One full CRL, DER or PEM ("BEGIN X509 CRL"), no trailing bytes, at most 16 MiB. A delta CRL,
  /// an indirect or partial one (issuingDistributionPoint), and one with another critical extension
  /// is refused: it would look complete and is not. Throws Error{malformed, "crl.malformed" |
  /// "crl.not_full"}.
  [[nodiscard]] static Crl parse(ByteView octets);

  [[nodiscard]] const Bytes& der() const noexcept;
  [[nodiscard]] const Name& issuer() const noexcept;
  [[nodiscard]] Instant this_update() const noexcept;
  [[nodiscard]] std::optional<Instant> next_update() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept;  ///< revoked certificates in it
  /// The signature only, by an algorithm that is good enough today.
  [[nodiscard]] bool signed_by(const PublicKey& key) const;
  [[nodiscard]] X509_CRL* openssl() const noexcept;  ///< borrowed

 private:
  struct Parts;
  explicit Crl(std::shared_ptr<const Parts> parts);
  std::shared_ptr<const Parts> parts_;
};

}  // namespace estia::crypto
