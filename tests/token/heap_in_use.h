// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <malloc.h>

#include <cstddef>

namespace estia::hsm {

/// Bytes that this process has allocated. One of OpenSSL's library contexts with a provider takes
/// some 150,000 of them.
[[nodiscard]] inline std::size_t heap_in_use() {
  const auto now = ::mallinfo2();
  return now.uordblks + now.hblkhd;
}
inline constexpr std::size_t kHalfAContext = 75'000;

}  // namespace estia::hsm
