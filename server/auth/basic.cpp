// SPDX-License-Identifier: Apache-2.0
#include "server/auth/basic.h"

#include <algorithm>

#include "crypto/base/error.h"

namespace estia::auth {
namespace {

constexpr std::string_view kScheme = "basic";
constexpr std::size_t kLongestToken = 4096;

bool is_scheme(std::string_view text) noexcept {
  return std::equal(text.begin(), text.end(), kScheme.begin(), kScheme.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

bool is_control(std::uint8_t c) noexcept {
  return c < 0x20 || c == 0x7F;
}

std::optional<Bytes> decode_token(std::string_view token) {
  // base64_decode skips white space, which a token68 cannot have.
  if (token.empty() || token.size() > kLongestToken ||
      token.find_first_of(" \t\r\n") != std::string_view::npos) {
    return std::nullopt;
  }
  try {
    return base64_decode(token);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::malformed) {
      throw;
    }
    return std::nullopt;
  }
}

}  // namespace

std::optional<BasicCredentials> parse_basic(std::string_view authorization) {
  const std::size_t space = authorization.find(' ');
  if (space == std::string_view::npos || !is_scheme(authorization.substr(0, space))) {
    return std::nullopt;
  }
  const std::size_t start = authorization.find_first_not_of(' ', space);
  if (start == std::string_view::npos) {
    return std::nullopt;
  }
  std::optional<Bytes> decoded = decode_token(authorization.substr(start));
  if (!decoded) {
    return std::nullopt;
  }
  std::optional<BasicCredentials> credentials;
  const auto colon = std::find(decoded->begin(), decoded->end(), std::uint8_t{':'});
  if (colon != decoded->end() && std::none_of(decoded->begin(), decoded->end(), is_control)) {
    credentials.emplace(BasicCredentials{std::string(decoded->begin(), colon),
                                         Secret(ByteView(colon + 1, decoded->end()))});
  }
  cleanse(*decoded);
  return credentials;
}

}  // namespace estia::auth
