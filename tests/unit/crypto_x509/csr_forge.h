// SPDX-License-Identifier: Apache-2.0
// Requests put together piece by piece, so that each piece can be wrong.
#pragma once

#include <string>
#include <vector>

#include "crypto/base/der.h"
#include "crypto/x509/csr.h"
#include "crypto/x509/extension_list.h"
#include "tests/support/refusal.h"
#include "tests/support/software_keys.h"

namespace estia::crypto {

inline constexpr const char* kChallengeOid = "1.2.840.113549.1.9.7";
inline constexpr const char* kExtensionRequestOid = "1.2.840.113549.1.9.14";
inline constexpr const char* kLinkingOid = "1.2.840.113549.1.9.16.2.58";

[[nodiscard]] inline Bytes joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

/// Attribute ::= SEQUENCE { type, values SET }
[[nodiscard]] inline Bytes attribute(const char* oid, const std::vector<Bytes>& values) {
  return der::sequence({der::oid(oid), der::tlv(0x31, joined(values))});
}

[[nodiscard]] inline Bytes text(std::uint8_t tag, std::string_view value) {
  return der::tlv(tag, as_bytes(value));
}

[[nodiscard]] inline Bytes extension_request(const std::vector<Extension>& extensions) {
  return attribute(kExtensionRequestOid, {encode_extensions(extensions)});
}

struct ForgedCsr {
  PrivateKey key = test::software_key("P-256");
  Bytes version = der::small_integer(0);
  Bytes subject = Name::from_text("CN=device").der();
  Bytes spki = key.public_key().spki();
  Bytes attributes{0xA0, 0x00};  ///< the whole [0]
  SignatureAlgorithm algorithm = SignatureAlgorithm::for_key(key.public_key());

  ForgedCsr& with(const std::vector<Bytes>& list) {
    attributes = der::tlv(0xA0, joined(list));
    return *this;
  }
  [[nodiscard]] Bytes der() const {
    const Bytes info = der::sequence({version, subject, spki, attributes});
    return der::sequence(
        {info, algorithm.algorithm_identifier, der::bit_string(key.sign(info, algorithm))});
  }
};

/// "category id" of Csr::parse.
[[nodiscard]] inline std::string parse_refusal(const Bytes& der) {
  return test::refusal([&] { static_cast<void>(Csr::parse(der)); });
}

}  // namespace estia::crypto
