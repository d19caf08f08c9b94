// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/password_rules.h"

#include <algorithm>
#include <set>

namespace estia {
namespace {

constexpr std::size_t kMost = 256;

bool has_different(std::string_view text, std::size_t least) {
  return std::set<char>(text.begin(), text.end()).size() >= least;
}

/// What was said to be generated, and hardly is: one SHA-256 would be no protection for it (D16).
bool looks_generated(std::string_view text) {
  constexpr std::size_t kLeast = 22;  // base64url characters of 128 bits
  constexpr std::size_t kLeastDifferent = 8;
  const bool plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; });
  return text.size() >= kLeast && text.size() <= kMost && has_different(text, kLeastDifferent) &&
         plain;
}

bool may_be_chosen(std::string_view text) {
  constexpr std::size_t kLeast = 14;
  constexpr std::size_t kLeastDifferent = 6;
  // RFC 7617 2: control characters are not allowed.
  const bool printable = std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; });
  return text.size() >= kLeast && text.size() <= kMost && has_different(text, kLeastDifferent) &&
         printable;
}

}  // namespace

std::optional<std::string_view> password_weakness(std::string_view text, PasswordOrigin origin) {
  if (origin == PasswordOrigin::generated) {
    return looks_generated(text)
               ? std::nullopt
               : std::optional<std::string_view>(
                     "22 to 256 printable characters without spaces, of 128 random bits or more, "
                     "where generated = true");
  }
  return may_be_chosen(text)
             ? std::nullopt
             : std::optional<std::string_view>(
                   "14 to 256 bytes without control characters, at least 6 of them different");
}

}  // namespace estia
