// SPDX-License-Identifier: Apache-2.0
#include "bench/cpu.h"

#include <time.h>

#include <cmath>
#include <stdexcept>

namespace estia::bench {
namespace {

double read_us(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) {
    throw std::runtime_error("a clock cannot be read: has the process ended?");
  }
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

}  // namespace

double thread_cpu_us() {
  return read_us(CLOCK_THREAD_CPUTIME_ID);
}

double process_cpu_us() {
  return read_us(CLOCK_PROCESS_CPUTIME_ID);
}

double process_cpu_us(pid_t process) {
  clockid_t clock{};
  if (::clock_getcpuclockid(process, &clock) != 0) {
    throw std::runtime_error("the process has no CPU clock: has it ended?");
  }
  return read_us(clock);
}

double wall_us() {
  return read_us(CLOCK_MONOTONIC);
}

double quantile(const std::vector<double>& values, double part) {
  const double last = static_cast<double>(values.size() - 1);
  return values.at(static_cast<std::size_t>(std::lround(part * last)));
}

}  // namespace estia::bench
