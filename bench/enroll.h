// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <vector>

#include "bench/report.h"

namespace estia::bench {

/// Enrolment through a whole estiad, beside the limit that its parts allow (docs/bench.md). `scale`
/// multiplies how many enrolments are made; progress goes to `progress`. Throws when anything fails
/// but a goal.
[[nodiscard]] std::vector<Row> bench_enroll(double scale, std::ostream& progress);

}  // namespace estia::bench
