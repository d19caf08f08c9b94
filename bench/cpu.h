// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace estia::bench {

/// CPU time in microseconds, user and system, to the nanosecond: of this thread, of all threads of
/// this process, of all threads of another one. Throws std::runtime_error when there is no such
/// process.
[[nodiscard]] double thread_cpu_us();
[[nodiscard]] double process_cpu_us();
[[nodiscard]] double process_cpu_us(pid_t process);

/// Of all threads of another process but `apart`, in microseconds: exact for threads that wait at
/// this moment, else some milliseconds late. For what is to be left out, as busiest_thread() found
/// it. Throws std::runtime_error when there is no such process, or the kernel does not tell.
[[nodiscard]] double process_cpu_us(pid_t process, pid_t apart);
/// The thread with the most CPU, the process's first one left out. Errors as above.
[[nodiscard]] pid_t busiest_thread(pid_t process);

/// Processors that this process may run on.
[[nodiscard]] unsigned usable_cores();

/// Wall-clock time in microseconds since an arbitrary moment.
[[nodiscard]] double wall_us();

/// The value below which `part` (0 to 1) of the values lie; `values` is sorted and not empty.
[[nodiscard]] double quantile(const std::vector<double>& values, double part);

/// CPU time of one call of `operation(i)` in this thread: the median of a few rounds of `count`
/// calls each.
template <class Operation>
[[nodiscard]] double cpu_us_of(std::size_t count, Operation operation) {
  constexpr std::size_t kRounds = 5;
  std::vector<double> rounds;
  for (std::size_t round = 0; round < kRounds; ++round) {
    const double before = thread_cpu_us();
    for (std::size_t i = 0; i < count; ++i) {
      operation(i);
    }
    rounds.push_back((thread_cpu_us() - before) / static_cast<double>(count));
  }
  std::sort(rounds.begin(), rounds.end());
  return quantile(rounds, 0.5);
}

}  // namespace estia::bench
