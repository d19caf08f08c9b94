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
#include "tests/support/csr_with_attributes.h"

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
  std::vector<Bytes> attributes{attribute_of("1.3.6.1.5.5.7.7.36", value)};
  if (!sans.empty()) {
    const auto names = crypto::GeneralNames::from_texts(sans);
    const Bytes extensions =
        crypto::encode_extensions({crypto::subject_alt_name(names, /*subject_is_empty=*/false)});
    attributes.push_back(attribute_of("1.2.840.113549.1.9.14", extensions));
  }
  return csr_with_attributes(key, subject, attributes);
}

}  // namespace estia::test
