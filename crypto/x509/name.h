// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/openssl/owned.h"

namespace estia::crypto {

/// One attribute of a distinguished name.
struct NameAttribute {
  std::string oid{};  ///< dotted
  std::string
      short_name;       ///< "CN", "O", "serialNumber", "UID"...; the dotted OID where there is none
  std::string value{};  ///< UTF-8
  std::size_t rdn = 0;  ///< which RDN it stands in (multi-valued RDNs share one)
  bool operator==(const NameAttribute&) const = default;
};

/// A distinguished name: a value, immutable, safe from any thread.
class Name final {
 public:
  Name();  ///< the empty name
  /// From DER; trailing bytes, more than 32 RDNs, values with NUL or control characters, and values
  /// that are no character string are refused: Error{malformed, "name.malformed"}.
  [[nodiscard]] static Name from_der(ByteView der);
  [[nodiscard]] static Name from_openssl(const X509_NAME* name);
  /// "CN=Estia Root,O=Example" in the order of the encoding (first RDN first); RFC 4514 escapes.
  /// countryName and serialNumber become PrintableString, DC and emailAddress IA5String, all others
  /// UTF8String (X509-4.1.2.4-b). Throws Error{config, "name.text"}.
  [[nodiscard]] static Name from_text(std::string_view text);
  [[nodiscard]] static Name from_attributes(const std::vector<NameAttribute>& attributes);

  [[nodiscard]] const Bytes& der() const noexcept { return der_; }
  [[nodiscard]] bool empty() const noexcept { return attributes_.empty(); }
  [[nodiscard]] const std::vector<NameAttribute>& attributes() const noexcept {
    return attributes_;
  }
  /// The first attribute of that type ("CN" or a dotted OID).
  [[nodiscard]] std::optional<std::string> first(std::string_view short_name) const;
  /// RFC 4514 style in encoding order, control characters and non-ASCII kept as UTF-8, specials
  /// escaped: for people and logs.
  [[nodiscard]] std::string text() const;
  /// RFC 5280 7.1: case ignored, white space compressed, string types ignored, RDN order
  /// significant (by value, not by bytes: docs/clients.md).
  [[nodiscard]] bool matches(const Name& other) const;
  /// A canonical form such that a.matches(b) iff the canonical forms are equal: the key for stored
  /// comparisons.
  [[nodiscard]] const Bytes& canonical() const noexcept { return canonical_; }
  /// A new X509_NAME for OpenSSL; the caller owns it.
  [[nodiscard]] X509NamePtr to_openssl() const;
  bool operator==(const Name& other) const noexcept {
    return der_ == other.der_;
  }  ///< byte equality

 private:
  Bytes der_;
  Bytes canonical_;
  std::vector<NameAttribute> attributes_;
};

}  // namespace estia::crypto
