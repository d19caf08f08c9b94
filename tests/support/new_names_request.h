// SPDX-License-Identifier: Apache-2.0
// Requests that ask for other names by ChangeSubjectName (RFC 6402 2.8), made by hand: OpenSSL's
// programs cannot.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/base/der.h"
#include "crypto/keys/private_key.h"
#include "crypto/x509/extension.h"
#include "crypto/x509/extension_list.h"
#include "crypto/x509/general_names.h"
#include "crypto/x509/name.h"

namespace estia::test {

enum class NewNamesForm { rfc10002, rfc6402 };  ///< subjectAlt tagged [1], or a plain SEQUENCE

/// The attribute's value; nullopt and an empty list leave their field out.
[[nodiscard]] inline Bytes new_names(const std::optional<std::string>& subject,
                                     const std::vector<std::string>& sans = {},
                                     NewNamesForm form = NewNamesForm::rfc10002) {
  const Bytes name = subject ? crypto::Name::from_text(*subject).der() : Bytes();
  Bytes alternatives;
  if (!sans.empty()) {
    alternatives = crypto::GeneralNames::from_texts(sans).der();
    alternatives.front() = form == NewNamesForm::rfc10002 ? 0xA1 : 0x30;
  }
  return der::sequence({name, alternatives});
}

/// A signed PKCS #10 with these names of its own and this value of ChangeSubjectName.
[[nodiscard]] inline Bytes csr_for_new_names(const crypto::PrivateKey& key,
                                             const std::string& subject,
                                             const std::vector<std::string>& sans,
                                             const Bytes& value) {
  const auto attribute = [](const char* oid, const Bytes& only) {
    return der::sequence({der::oid(oid), der::set_of({only})});
  };
  Bytes attributes = attribute("1.3.6.1.5.5.7.7.36", value);
  if (!sans.empty()) {
    const auto names = crypto::GeneralNames::from_texts(sans);
    const Bytes extensions =
        crypto::encode_extensions({crypto::subject_alt_name(names, /*subject_is_empty=*/false)});
    const Bytes request = attribute("1.2.840.113549.1.9.14", extensions);
    attributes.insert(attributes.end(), request.begin(), request.end());
  }
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
  const Bytes info = der::sequence({der::small_integer(0), crypto::Name::from_text(subject).der(),
                                    key.public_key().spki(), der::tlv(0xA0, attributes)});
  return der::sequence(
      {info, algorithm.algorithm_identifier, der::bit_string(key.sign(info, algorithm))});
}

}  // namespace estia::test
