// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace estia::bench {

/// The same work done in two ways, side by side, in any unit: what is judged, and what it is
/// compared with.
struct Compared {
  std::vector<double> subject;
  std::vector<double> reference;
};

/// How many times dearer the reference is: "higher is better". The true ratio lies between `low`
/// and `high` with 95 %.
struct Ratio {
  double value = 0;
  double low = 0;
  double high = 0;
};

/// The median of the rounds' ratios; the interval by rank, whatever the distribution, and all of
/// them where there are fewer than six. As many of both, at least one.
[[nodiscard]] Ratio ratio_of_rounds(const Compared& rounds);

/// Of the two means: for values that are spread widely by nature, and drawn each for itself. The
/// interval by their deviations. At least two of both, none of them 0.
[[nodiscard]] Ratio ratio_of_means(const Compared& values);

[[nodiscard]] double mean(const std::vector<double>& values);
[[nodiscard]] double median(std::vector<double> values);
/// Standard deviation of one value, in relation to the mean. At least two.
[[nodiscard]] double spread(const std::vector<double>& values);

}  // namespace estia::bench
