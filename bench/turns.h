// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace estia::bench {

/// One of several ways to do the same work, by threads of its own.
struct Way {
  /// What a thread does again and again.
  using Operation = std::function<void()>;
  std::size_t threads = 1;
  /// Called in thread 0, 1, 2, ... of a turn, before the clock starts.
  std::function<Operation(std::size_t thread)> begin;
};

/// How long ways are compared.
struct Turns {
  std::size_t rounds = 1;
  double turn_us = 0;  ///< of one way in a round; at least one operation of each thread
};

/// What came of one way.
struct Pace {
  std::vector<double> us;      ///< by round: from one operation to the next, all threads together
  std::vector<double> cpu_us;  ///< by round: CPU of the threads for one operation
  std::vector<double> latencies;  ///< of each operation in milliseconds, sorted
};

/// Each way has one turn in a round, in an order that is drawn (the same in every run), so that
/// what drifts meets all alike. In a turn its threads are at work at the same time; their first
/// operations come before the clock starts. Returns what came of each way, in the order of `ways`.
/// Throws what an operation threw.
[[nodiscard]] std::vector<Pace> by_turns(const std::vector<Way>& ways, const Turns& turns);

}  // namespace estia::bench
