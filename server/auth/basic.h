// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/secret.h"

namespace estia::auth {

struct BasicCredentials {
  std::string user;  ///< may be empty (EST-3.2.3-e)
  Secret password;
};

/// The value of an Authorization field, RFC 7617: the scheme in any case, one or more spaces,
/// base64 without white space, split at the first colon. nullopt for anything else, control
/// characters included (EST-3.2.3-h): the caller answers it like a wrong password.
[[nodiscard]] std::optional<BasicCredentials> parse_basic(std::string_view authorization);

/// The challenge of a 401 (EST-3.2.3-d): always the same, so that it tells nothing about accounts.
inline constexpr std::string_view kBasicChallenge = R"(Basic realm="estia", charset="UTF-8")";

}  // namespace estia::auth
