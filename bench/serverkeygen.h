// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "bench/report.h"

namespace estia::bench {

/// Keys that are made for clients, in two parts: through hsm/ beside the PKCS #11 calls alone, and
/// through a whole estiad beside the limit that its parts allow (docs/bench.md). `kinds` are names
/// of KeySpec; none: all that take seconds at most. `scale` multiplies how many keys are made;
/// progress goes to `progress`. Throws when anything fails but a goal.
[[nodiscard]] std::vector<Row> bench_serverkeygen(const std::vector<std::string>& kinds,
                                                  double scale, std::ostream& progress);

}  // namespace estia::bench
