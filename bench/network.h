// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <vector>

#include "bench/report.h"

namespace estia::bench {

/// An honest client's time beside clients that attack estiad with its default limits, and what idle
/// connections cost (docs/bench.md, "network"). `scale` is for the number of attackers. Throws
/// std::runtime_error when an honest request is not answered with 200.
[[nodiscard]] std::vector<Row> bench_network(double scale, std::ostream& progress);

}  // namespace estia::bench
