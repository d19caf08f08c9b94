// SPDX-License-Identifier: Apache-2.0
// Requests with attributes that OpenSSL's programs cannot write.
#pragma once

#include <string>
#include <vector>

#include "crypto/base/der.h"
#include "crypto/keys/private_key.h"
#include "crypto/x509/name.h"

namespace estia::test {

/// An attribute with one value.
[[nodiscard]] inline Bytes attribute_of(const char* oid, const Bytes& value) {
  return der::sequence({der::oid(oid), der::set_of({value})});
}

/// A signed PKCS #10 with these attributes.
[[nodiscard]] inline Bytes csr_with_attributes(const crypto::PrivateKey& key,
                                               const std::string& subject,
                                               const std::vector<Bytes>& attributes) {
  Bytes all;
  for (const Bytes& attribute : attributes) {
    all.insert(all.end(), attribute.begin(), attribute.end());
  }
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
  const Bytes info = der::sequence({der::small_integer(0), crypto::Name::from_text(subject).der(),
                                    key.public_key().spki(), der::tlv(0xA0, all)});
  return der::sequence(
      {info, algorithm.algorithm_identifier, der::bit_string(key.sign(info, algorithm))});
}

}  // namespace estia::test
