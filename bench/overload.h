// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <vector>

#include "bench/load.h"
#include "bench/report.h"

namespace estia::bench {

/// How much estiad still gets done when eight times as many clients as it has workers want
/// something at once, beside the most that a few clients can have: docs/bench.md, "network".
/// `scale` is for clients and time.
void add_overload(const Served& server, double scale, std::ostream& progress,
                  std::vector<Row>& rows);

}  // namespace estia::bench
