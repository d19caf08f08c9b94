// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"

namespace estia::crypto {

/// One GeneralName of a subjectAltName.
struct GeneralName {
  enum class Kind { dns, ip, email, uri, directory, other, registered_id };
  Kind kind;
  std::string text;  ///< dns, email, uri as they stand; ip in presentation form; directory as
                     ///< Name::text(); other as "OID:hex"; dotted OID
  Bytes der;         ///< the whole GeneralName
  bool operator==(const GeneralName& o) const { return der == o.der; }
};

[[nodiscard]] std::string_view to_string(GeneralName::Kind kind) noexcept;

/// A subjectAltName value: parsed, immutable.
class GeneralNames final {
 public:
  GeneralNames() = default;
  /// From the extension's value (DER SEQUENCE OF GeneralName). Checks X509-4.2.1.6-a: dNSName
  /// preferred name syntax (a leading "*." is allowed here, profiles decide), IA5 only, no NUL;
  /// iPAddress 4 or 16 octets; URI absolute; rfc822Name a bare mailbox; no empty names; at least
  /// one, at most 100. Throws Error{malformed, "san.malformed"}.
  [[nodiscard]] static GeneralNames from_der(ByteView der);
  /// "dns:host", "ip:10.0.0.1", "email:a@b", "uri:urn:x". Throws Error{config, "san.text"}.
  [[nodiscard]] static GeneralNames from_texts(const std::vector<std::string>& texts);

  [[nodiscard]] const std::vector<GeneralName>& names() const noexcept { return names_; }
  /// As from_texts() takes them: "dns:host".
  [[nodiscard]] std::vector<std::string> texts() const;
  [[nodiscard]] bool empty() const noexcept { return names_.empty(); }
  [[nodiscard]] const Bytes& der() const noexcept { return der_; }
  /// The same names regardless of order; DNS names and mail hosts compared without case (RFC
  /// 5280 7.2), the rest by bytes, directory names by Name::matches (EST-4.2.2-b).
  [[nodiscard]] bool matches(const GeneralNames& other) const;

 private:
  std::vector<GeneralName> names_;
  Bytes der_;
};

}  // namespace estia::crypto
