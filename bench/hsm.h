// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "bench/report.h"

namespace estia::bench {

/// Signatures through hsm/ (crypto::PrivateKey::sign with a key of hsm::Token) beside the PKCS #11
/// calls alone and beside a key of OpenSSL's own: by kind and threads, with a slow token, and with
/// many objects in it (docs/bench.md). `kinds` are names of KeySpec; none: the usual ones. `scale`
/// shortens or lengthens all of it; progress goes to `progress`. Throws when anything fails but a
/// goal.
[[nodiscard]] std::vector<Row> bench_hsm(const std::vector<std::string>& kinds, double scale,
                                         std::ostream& progress);

}  // namespace estia::bench
