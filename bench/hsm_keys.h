// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "bench/report.h"
#include "crypto/keys/key_spec.h"
#include "hsm/token.h"

namespace estia::bench {

inline constexpr const char* kServerKeygen = "serverkeygen";  // Row::bench

/// What a key costs by the calls alone, microseconds of CPU.
struct BareCost {
  std::vector<double> keys;  ///< C_GenerateKeyPair, C_WrapKey, C_DestroyObject: one of each round
  double wrap = 0;           ///< all of these but the first
};

struct HsmKeys {
  std::vector<Row> rows;
  std::map<std::string, BareCost> bare;  ///< by kind
};

/// Keys of each kind as hsm::ServerKeys makes them, beside the calls alone, in one thread: drawn
/// rounds of the same token, and RSA from a stock as well (docs/bench.md). The token is left before
/// this returns. Throws when anything fails but a goal.
[[nodiscard]] HsmKeys measure_hsm_keys(const hsm::TokenConfig& token,
                                       const std::vector<crypto::KeySpec>& kinds, double scale,
                                       std::ostream& progress);

/// Whether the time of one key is a matter of luck.
[[nodiscard]] inline bool is_searched(const crypto::KeySpec& kind) {
  return kind.name.starts_with("RSA");
}
/// `usual` for RSA-2048, fewer for what takes longer; for RSA only.
[[nodiscard]] std::size_t fewer_by_size(std::size_t usual, const crypto::KeySpec& kind);

}  // namespace estia::bench
