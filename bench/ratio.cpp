// SPDX-License-Identifier: Apache-2.0
#include "bench/ratio.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bench/cpu.h"

namespace estia::bench {
namespace {

constexpr double kDeviations = 1.96;  // of a normal distribution: 95 %

/// Of the mean, in relation to it.
double relative_error(const std::vector<double>& values) {
  return spread(values) / std::sqrt(static_cast<double>(values.size()));
}

}  // namespace

Ratio ratio_of_rounds(const Compared& rounds) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < rounds.subject.size(); ++i) {
    ratios.push_back(rounds.reference.at(i) / rounds.subject[i]);
  }
  std::sort(ratios.begin(), ratios.end());
  // How many lie below the true median is binomial.
  const auto count = static_cast<double>(ratios.size());
  const double outside = std::floor(count / 2 - kDeviations / 2 * std::sqrt(count));
  const auto rank = static_cast<std::size_t>(std::max(0.0, outside));
  return {.value = quantile(ratios, 0.5),
          .low = ratios.at(rank),
          .high = ratios.at(ratios.size() - 1 - rank)};
}

Ratio ratio_of_means(const Compared& values) {
  const double ratio = mean(values.reference) / mean(values.subject);
  const double error =
      kDeviations * std::hypot(relative_error(values.reference), relative_error(values.subject));
  return {.value = ratio, .low = std::max(0.0, ratio * (1 - error)), .high = ratio * (1 + error)};
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return quantile(values, 0.5);
}

double spread(const std::vector<double>& values) {
  const double middle = mean(values);
  double squares = 0;
  for (const double value : values) {
    squares += (value - middle) * (value - middle);
  }
  return std::sqrt(squares / static_cast<double>(values.size() - 1)) / middle;
}

}  // namespace estia::bench
