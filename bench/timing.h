// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <vector>

#include "bench/report.h"

namespace estia::bench {

/// Whether time tells a wrong password from an unknown user (T11): |t| of each comparison, and the
/// distance of the means. Says
/// what it does on `progress`. Throws std::runtime_error when a request is not answered 401.
[[nodiscard]] std::vector<Row> bench_timing(double scale, std::ostream& progress);

}  // namespace estia::bench
