// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <vector>

#include "bench/report.h"
#include "bench/site.h"

namespace estia::bench {

/// What a handshake, a one-shot request and one on a kept connection cost estiad, beside a bare
/// server (bare_server.h) in the same minutes: docs/bench.md, "network". `site` has been started.
/// Throws std::runtime_error when a request is not answered with 200.
void add_rates(Site& site, double scale, std::ostream& progress, std::vector<Row>& rows);

}  // namespace estia::bench
