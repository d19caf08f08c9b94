// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/extension.h"

#include <algorithm>
#include <array>

#include "crypto/base/der.h"
#include "crypto/base/error.h"

namespace estia::crypto {
namespace {

constexpr std::array<std::string_view, 9> kKeyUsageBits = {
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly"};

/// X509-4.2.1.3-b: in a named-bit list DER drops trailing zero bits.
Bytes named_bits(const std::array<bool, kKeyUsageBits.size()>& set) {
  std::size_t count = set.size();
  while (count > 0 && !set[count - 1]) {
    --count;
  }
  Bytes octets((count + 7) / 8);
  for (std::size_t bit = 0; bit < count; ++bit) {
    if (set[bit]) {
      octets[bit / 8] = static_cast<std::uint8_t>(octets[bit / 8] | (0x80U >> (bit % 8)));
    }
  }
  Bytes content{static_cast<std::uint8_t>(octets.size() * 8 - count)};
  content.insert(content.end(), octets.begin(), octets.end());
  return der::tlv(0x03, content);
}

Bytes uri_name(const std::string& uri) {
  return der::tlv(0x86, as_bytes(uri));
}

/// The rules a URI in a subjectAltName has, for those we write elsewhere.
void check_uris(const std::vector<std::string>& uris) {
  for (const std::string& uri : uris) {
    static_cast<void>(GeneralNames::from_texts({"uri:" + uri}));
  }
}

Bytes concatenated(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace

Extension basic_constraints_ca(int path_length) {
  Bytes value = path_length < 0
                    ? der::sequence({der::boolean(true)})
                    : der::sequence({der::boolean(true),
                                     der::small_integer(static_cast<std::uint32_t>(path_length))});
  return {std::string(oid::kBasicConstraints), true, std::move(value)};
}

Extension key_usage(const KeyUsageNames& bits) {
  std::array<bool, kKeyUsageBits.size()> set{};
  for (const std::string& name : bits) {
    const auto* const found = std::find(kKeyUsageBits.begin(), kKeyUsageBits.end(), name);
    if (found == kKeyUsageBits.end()) {
      throw Error(ErrorCode::config, "extension.unknown", "'" + name + "' is no key usage");
    }
    set[static_cast<std::size_t>(found - kKeyUsageBits.begin())] = true;
  }
  if (bits.empty()) {
    throw Error(ErrorCode::config, "extension.unknown", "a key usage needs at least one bit");
  }
  return {std::string(oid::kKeyUsage), true, named_bits(set)};
}

Extension extended_key_usage(const std::vector<std::string>& oids) {
  std::vector<Bytes> encoded;
  std::transform(oids.begin(), oids.end(), std::back_inserter(encoded),
                 [](const std::string& oid) { return der::oid(oid); });
  if (encoded.empty()) {
    throw Error(ErrorCode::config, "extension.unknown",
                "an extended key usage needs at least one purpose");
  }
  return {std::string(oid::kExtendedKeyUsage), false, der::tlv(0x30, concatenated(encoded))};
}

Extension subject_alt_name(const GeneralNames& names, bool subject_is_empty) {
  if (names.empty()) {
    throw Error(ErrorCode::config, "extension.unknown", "a subjectAltName needs at least one name");
  }
  return {std::string(oid::kSubjectAltName), subject_is_empty, names.der()};
}

Extension subject_key_identifier(ByteView key_identifier) {
  return {std::string(oid::kSubjectKeyIdentifier), false, der::octet_string(key_identifier)};
}

Extension authority_key_identifier(ByteView key_identifier) {
  return {std::string(oid::kAuthorityKeyIdentifier), false,
          der::sequence({der::tlv(0x80, key_identifier)})};
}

Extension crl_distribution_points(const std::vector<std::string>& uris) {
  check_uris(uris);
  if (uris.empty()) {
    throw Error(ErrorCode::config, "extension.unknown",
                "CRL distribution points need at least one URI");
  }
  std::vector<Bytes> points;
  points.reserve(uris.size());
  for (const std::string& uri : uris) {
    // DistributionPoint { distributionPoint [0] { fullName [0] GeneralNames } }
    points.push_back(der::sequence({der::tlv(0xA0, der::tlv(0xA0, uri_name(uri)))}));
  }
  return {std::string(oid::kCrlDistributionPoints), false, der::tlv(0x30, concatenated(points))};
}

Extension authority_info_access(const std::vector<std::string>& ca_issuers,
                                const std::vector<std::string>& ocsp) {
  check_uris(ca_issuers);
  check_uris(ocsp);
  if (ca_issuers.empty() && ocsp.empty()) {
    throw Error(ErrorCode::config, "extension.unknown",
                "authority information access needs at least one URI");
  }
  std::vector<Bytes> descriptions;
  descriptions.reserve(ocsp.size() + ca_issuers.size());
  for (const std::string& uri : ocsp) {
    descriptions.push_back(der::sequence({der::oid("1.3.6.1.5.5.7.48.1"), uri_name(uri)}));
  }
  for (const std::string& uri : ca_issuers) {
    descriptions.push_back(der::sequence({der::oid("1.3.6.1.5.5.7.48.2"), uri_name(uri)}));
  }
  return {std::string(oid::kAuthorityInfoAccess), false,
          der::tlv(0x30, concatenated(descriptions))};
}

}  // namespace estia::crypto
