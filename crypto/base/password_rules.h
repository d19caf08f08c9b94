// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace estia {

/// Where a password comes from decides how it is stored, and so what it must look like (D16).
enum class PasswordOrigin {
  chosen,     ///< by a person: kept by scrypt
  generated,  ///< 128 random bits or more: digested once
};

/// What a password of this origin must be, when `text` is not that: "14 to 256 bytes ...", to go
/// after "a password must be". nullopt for one that will do. Any thread.
[[nodiscard]] std::optional<std::string_view> password_weakness(std::string_view text,
                                                                PasswordOrigin origin);

}  // namespace estia
