// SPDX-License-Identifier: Apache-2.0
#include "bench/stock.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace estia::bench {
namespace {

constexpr std::chrono::minutes kLongest{15};
constexpr std::chrono::milliseconds kPause{300};

bool has_all(const Stock& ready, const Stock& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& kind) {
    const auto found = ready.find(kind.first);
    return found != ready.end() && found->second >= kind.second;
  });
}

}  // namespace

void wait_for_stock(const Stock& wanted, const std::function<Stock()>& ready) {
  const auto deadline = std::chrono::steady_clock::now() + kLongest;
  while (!has_all(ready(), wanted)) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("the stock of keys does not fill");
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace estia::bench
