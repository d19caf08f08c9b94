// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace estia::bench {

/// How many of something `--scale` makes of the usual `count`.
[[nodiscard]] inline std::size_t scaled(std::size_t count, double scale, std::size_t least) {
  return std::max(least, static_cast<std::size_t>(std::lround(static_cast<double>(count) * scale)));
}

}  // namespace estia::bench
