// SPDX-License-Identifier: Apache-2.0
#include "bench/welch.h"

#include <algorithm>
#include <cmath>

namespace estia::bench {
namespace {

/// Welford's running mean and variance.
struct Sample {
  double count = 0;
  double mean = 0;
  double squares = 0;

  void add(double value) {
    count += 1;
    const double step = value - mean;
    mean += step / count;
    squares += step * (value - mean);
  }
  [[nodiscard]] double error() const { return squares / (count - 1) / count; }
};

Sample sample_of(const std::vector<double>& times, double most) {
  Sample sample;
  for (const double time : times) {
    if (time <= most) {
      sample.add(time);
    }
  }
  return sample;
}

}  // namespace

Welch welch(const TwoKinds& times, double kept) {
  std::vector<double> all = times.first;
  all.insert(all.end(), times.second.begin(), times.second.end());
  if (all.empty()) {
    return {};
  }
  const auto last = static_cast<std::ptrdiff_t>(static_cast<double>(all.size() - 1) * kept);
  std::nth_element(all.begin(), all.begin() + last, all.end());
  const Sample first = sample_of(times.first, all[static_cast<std::size_t>(last)]);
  const Sample second = sample_of(times.second, all[static_cast<std::size_t>(last)]);
  if (first.count < 2 || second.count < 2) {
    return {};
  }
  const double apart = std::abs(first.mean - second.mean);
  const double error = std::sqrt(first.error() + second.error());
  return {.t = error > 0 ? apart / error : 0, .apart = apart};
}

}  // namespace estia::bench
