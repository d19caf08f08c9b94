// SPDX-License-Identifier: Apache-2.0
// What to look for in memory when a private key must not be there.
#pragma once

#include <cstddef>
#include <vector>

#include "crypto/base/der.h"
#include "tests/support/memory_scan.h"

namespace estia::test {

inline constexpr std::size_t kPiece = 18;  // a part copied is a part lost

/// The values of the elements of `content`, without the first ones.
inline std::vector<ByteView> values(ByteView content, std::size_t without) {
  std::vector<ByteView> found;
  while (!content.empty()) {
    found.push_back(der::read(content).value);
  }
  found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(without));
  return found;
}

/// EC's number; RSA's private exponent and first prime.
inline std::vector<ByteView> secrets_of(ByteView pkcs8, bool rsa) {
  const ByteView info = values(pkcs8, 0).front();
  const ByteView key = values(info, 2).front();
  std::vector<ByteView> numbers = values(values(key, 0).front(), rsa ? 3 : 1);
  numbers.resize(rsa ? 2 : 1);
  return numbers;
}

/// A piece of each, as it may lie in memory: three needles for each number.
[[nodiscard]] inline std::vector<Needle> needles_of(ByteView pkcs8, bool rsa) {
  std::vector<Needle> needles;
  for (const ByteView number : secrets_of(pkcs8, rsa)) {
    const ByteView piece = number.subspan(number.size() / 2 - kPiece / 2, kPiece);
    needles.emplace_back(piece);
    needles.push_back(Needle::reversed(piece));
    const auto at = static_cast<std::size_t>(piece.data() - pkcs8.data());
    needles.push_back(Needle::in_base64(pkcs8, at, piece.size()));
  }
  return needles;
}

}  // namespace estia::test
