// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace estia::bench {

/// Times of two kinds of the same thing, in any unit.
struct TwoKinds {
  std::vector<double> first;
  std::vector<double> second;
};

struct Welch {
  double t = 0;      ///< its absolute value
  double apart = 0;  ///< how far the two means are from each other
};

/// Welch's test of the two, over those at or below the `kept` quantile of all of them together:
/// what is slower was interrupted (as dudect does). Zeros for fewer than two of a kind; t is 0
/// without any spread.
[[nodiscard]] Welch welch(const TwoKinds& times, double kept = 0.9);

}  // namespace estia::bench
