// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/x509/name.h"
#include "server/ca/model.h"

namespace estia::ca {

/// RA mode: the username that the alias's scheme makes of a request's subject, with prefix and
/// postfix (docs/configuration.md, `name_scheme`). Throws Error{malformed, "enroll.no_username"}
/// when none of the fields is present, Error{malformed, "enroll.username_too_long"}.
[[nodiscard]] std::string generated_username(const Alias& alias, const crypto::Name& subject);

/// Whether two requests with one subject get two usernames.
[[nodiscard]] bool has_random_usernames(const Alias& alias) noexcept;

/// The subject attribute that a list of fields means: as EJBCA writes them, SN is serialNumber and
/// SURNAME the surname, which OpenSSL calls SN.
[[nodiscard]] std::string_view attribute_of(std::string_view field) noexcept;

/// The first value of a field, as attribute_of() reads it.
[[nodiscard]] std::optional<std::string> value_of(const crypto::Name& subject,
                                                  std::string_view field);

/// Client mode: the value of one field, or the whole subject as text for "DN". Throws
/// Error{malformed, "enroll.no_username"}.
[[nodiscard]] std::string username_in(const crypto::Name& subject, std::string_view field);

/// Whom the subject would name at a first enrolment, as far as that can be told beforehand. In RA
/// mode throws what generated_username() throws.
[[nodiscard]] std::optional<std::string> named_by(const Alias& alias, const crypto::Name& subject);

/// The name without the attributes of one type: a password that stood there is gone from everything
/// that is compared, stored or logged.
[[nodiscard]] crypto::Name without_field(const crypto::Name& name, std::string_view field);

}  // namespace estia::ca
