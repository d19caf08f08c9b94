// SPDX-License-Identifier: Apache-2.0
#include "hsm/token_statistics.h"

#include <algorithm>
#include <exception>

#include "hsm/ckr.h"

namespace estia::hsm {
namespace {

std::uint64_t nanoseconds(TokenStatistics::Duration time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}

double seconds(const std::atomic<std::uint64_t>& nanoseconds) {
  return static_cast<double>(nanoseconds.load()) / 1e9;
}

}  // namespace

void TokenStatistics::waited(Duration time, bool in_vain) noexcept {
  waits_.fetch_add(1, std::memory_order_relaxed);
  timeouts_.fetch_add(in_vain ? 1 : 0, std::memory_order_relaxed);
  wait_nanoseconds_.fetch_add(nanoseconds(time), std::memory_order_relaxed);
}

void TokenStatistics::signed_in(Duration time) noexcept {
  const double took = std::chrono::duration<double>(time).count();
  const auto bucket = std::ranges::lower_bound(kBounds, took) - kBounds.begin();
  signatures_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sign_nanoseconds_.fetch_add(nanoseconds(time), std::memory_order_relaxed);
  last_signature_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
}

void TokenStatistics::failed(unsigned long rv) noexcept {
  try {
    std::string name = ckr_name(rv);
    const std::scoped_lock lock(mutex_);
    if (errors_.size() >= kMostCodes && !errors_.contains(name)) {
      name = "other";
    }
    ++errors_[name];
  } catch (const std::exception&) {
    // No memory: the error itself is on its way to whoever can say so.
  }
}

TokenStatistics::Counts TokenStatistics::counts() const {
  Counts counts{.waits = waits_.load(),
                .timeouts = timeouts_.load(),
                .wait_seconds = seconds(wait_nanoseconds_),
                .sign_seconds = seconds(sign_nanoseconds_)};
  std::ranges::transform(signatures_, counts.signatures.begin(),
                         [](const auto& bucket) { return bucket.load(); });
  const std::scoped_lock lock(mutex_);
  counts.errors = errors_;
  return counts;
}

}  // namespace estia::hsm
