// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace estia::hsm {

/// A field of PKCS #11's info structures, which are padded with spaces and end with no NUL.
template <std::size_t N>
[[nodiscard]] std::string unpadded(const unsigned char (&field)[N]) {
  std::string text(reinterpret_cast<const char*>(field), N);
  text.erase(text.find_last_not_of(std::string_view(" \0", 2)) + 1);
  return text;
}

}  // namespace estia::hsm
