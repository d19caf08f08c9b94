// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/x509/general_names.h"

namespace estia::crypto {

/// An X.509 extension: `value` is what is inside the OCTET STRING.
struct Extension {
  std::string oid;
  bool critical = false;
  Bytes value;
  bool operator==(const Extension&) const = default;
};

namespace oid {
inline constexpr std::string_view kSubjectKeyIdentifier = "2.5.29.14";
inline constexpr std::string_view kKeyUsage = "2.5.29.15";
inline constexpr std::string_view kSubjectAltName = "2.5.29.17";
inline constexpr std::string_view kBasicConstraints = "2.5.29.19";
inline constexpr std::string_view kCrlDistributionPoints = "2.5.29.31";
inline constexpr std::string_view kAuthorityKeyIdentifier = "2.5.29.35";
inline constexpr std::string_view kExtendedKeyUsage = "2.5.29.37";
inline constexpr std::string_view kAuthorityInfoAccess = "1.3.6.1.5.5.7.1.1";
inline constexpr std::string_view kServerAuth = "1.3.6.1.5.5.7.3.1";
inline constexpr std::string_view kClientAuth = "1.3.6.1.5.5.7.3.2";
inline constexpr std::string_view kOcspSigning = "1.3.6.1.5.5.7.3.9";
inline constexpr std::string_view kCmcCa = "1.3.6.1.5.5.7.3.27";
inline constexpr std::string_view kCmcRa = "1.3.6.1.5.5.7.3.28";
}  // namespace oid

/// Bits of keyUsage by their RFC 5280 names: "digitalSignature", "nonRepudiation",
/// "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
/// "decipherOnly".
using KeyUsageNames = std::vector<std::string>;

// Each gives a complete extension with the criticality of docs/conformance.md (RFC
// 5280 4.2). Unknown names and empty lists: Error{config, "extension.unknown"}; a URI that is none:
// Error{config, "san.text"}.
[[nodiscard]] Extension basic_constraints_ca(
    int path_length);                                          ///< critical; path_length < 0 = none
[[nodiscard]] Extension key_usage(const KeyUsageNames& bits);  ///< critical; at least one
[[nodiscard]] Extension extended_key_usage(const std::vector<std::string>& oids);  ///< not critical
[[nodiscard]] Extension subject_alt_name(
    const GeneralNames& names, bool subject_is_empty);  ///< critical iff the subject is empty
[[nodiscard]] Extension subject_key_identifier(ByteView key_identifier);
[[nodiscard]] Extension authority_key_identifier(ByteView key_identifier);
[[nodiscard]] Extension crl_distribution_points(const std::vector<std::string>& uris);
[[nodiscard]] Extension authority_info_access(const std::vector<std::string>& ca_issuers,
                                              const std::vector<std::string>& ocsp);

}  // namespace estia::crypto
