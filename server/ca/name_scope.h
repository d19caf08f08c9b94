// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/x509/general_names.h"
#include "crypto/x509/name.h"

namespace estia::ca {

/// Which names an RA may ask for. Written as "any", or as comma-separated terms `FIELD=GLOB`: a
/// subject attribute ("CN=device-*", "O=Acme") or a SAN kind ("dns=*.acme.example",
/// "ip=10.0.0.0/8", "email=*@acme.example", "uri=urn:acme:*"). Every name in a request must be
/// allowed by a term of its own field; a field without a term is outside. `*` matches any run of
/// characters, in dns= without a dot.
class NameScope final {
 public:
  NameScope() = default;  ///< allows nothing
  /// Throws Error{config, "scope.invalid"} that names the term.
  [[nodiscard]] static NameScope parse(std::string_view text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] bool empty() const noexcept { return !any_ && terms_.empty(); }
  /// nullopt when everything is inside, else what is outside ("CN=evil.example"): for the refusal's
  /// detail.
  [[nodiscard]] std::optional<std::string> outside(const crypto::Name& subject,
                                                   const crypto::GeneralNames& san) const;

 private:
  struct Term {
    std::string field;
    std::string pattern;
  };
  [[nodiscard]] bool allows_attribute(const crypto::NameAttribute& attribute) const;
  [[nodiscard]] bool allows_general_name(const crypto::GeneralName& name) const;

  bool any_ = false;
  std::string text_;
  std::vector<Term> terms_;
};

}  // namespace estia::ca
