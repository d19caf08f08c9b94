// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>

namespace estia::bench {

/// Pairs by kind, as hsm::ServerKeysLimits and ServerKeysStatus have them.
using Stock = std::map<std::string, std::size_t>;

/// Asks `ready` now and then until it has all that is wanted. Throws std::runtime_error when that
/// takes a quarter of an hour.
void wait_for_stock(const Stock& wanted, const std::function<Stock()>& ready);

}  // namespace estia::bench
