// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/keys/public_key.h"
#include "crypto/x509/extension.h"
#include "crypto/x509/name.h"

namespace estia::crypto {

/// A parsed X.509 certificate in library(). Immutable; copies share it; any thread.
class Certificate final {
 public:
  /// Exactly one DER certificate, no trailing bytes. Throws Error{malformed,
  /// "certificate.malformed"}.
  [[nodiscard]] static Certificate parse(ByteView der);
  /// Of library(). Keeps a share of the object, which must not be changed from now on.
  [[nodiscard]] static Certificate from_openssl(const X509* certificate);
  /// One or more PEM CERTIFICATE blocks; text outside them only as white space. Throws
  /// Error{config, "certificate.pem"}.
  [[nodiscard]] static std::vector<Certificate> parse_pem(std::string_view pem);

  [[nodiscard]] const Bytes& der() const noexcept;
  [[nodiscard]] std::string to_pem() const;
  [[nodiscard]] Bytes serial() const;  ///< big-endian magnitude without leading zeros
  [[nodiscard]] const Name& subject() const noexcept;
  [[nodiscard]] const Name& issuer() const noexcept;
  [[nodiscard]] Instant not_before() const noexcept;
  [[nodiscard]] Instant not_after() const noexcept;
  [[nodiscard]] const PublicKey& public_key() const noexcept;
  [[nodiscard]] const std::vector<Extension>& extensions() const noexcept;
  [[nodiscard]] const Extension* find_extension(std::string_view oid) const noexcept;
  // These three read the value of an extension, and throw Error{malformed} where it is none.
  [[nodiscard]] GeneralNames subject_alt_names() const;               ///< empty when absent
  [[nodiscard]] std::vector<std::string> extended_key_usage() const;  ///< OIDs; empty when absent
  [[nodiscard]] bool has_extended_key_usage(std::string_view oid) const;  ///< listed explicitly
  [[nodiscard]] Bytes subject_key_identifier() const;                     ///< empty when absent
  [[nodiscard]] bool is_ca() const;
  [[nodiscard]] bool self_issued() const;
  [[nodiscard]] Bytes fingerprint_sha256() const;
  [[nodiscard]] Bytes tbs() const;        ///< the exact to-be-signed bytes
  [[nodiscard]] Bytes signature() const;  ///< the BIT STRING's value
  /// The signature only: no dates, names or extensions. The algorithm must be the one the key uses
  /// (SignatureAlgorithm::for_key).
  [[nodiscard]] bool signed_by(const PublicKey& issuer) const;
  [[nodiscard]] X509* openssl() const noexcept;  ///< borrowed; OpenSSL caches inside, so it is
                                                 ///< pre-warmed at parse (X509_check_purpose)
  bool operator==(const Certificate& other) const noexcept { return der() == other.der(); }

 private:
  struct Parts;
  template <class Decode>
  [[nodiscard]] static Certificate read(ByteView der, Decode decode);
  explicit Certificate(std::shared_ptr<const Parts> parts);
  std::shared_ptr<const Parts> parts_;
};

}  // namespace estia::crypto
