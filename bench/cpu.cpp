// SPDX-License-Identifier: Apache-2.0
#include "bench/cpu.h"

#include <sched.h>
#include <time.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

namespace estia::bench {
namespace {

double read_us(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) {
    throw std::runtime_error("a clock cannot be read: has the process ended?");
  }
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

/// Microseconds of each thread; one that ends meanwhile is not told.
std::map<pid_t, double> threads_cpu_us(pid_t process) {
  std::map<pid_t, double> threads;
  const std::filesystem::path tasks = "/proc/" + std::to_string(process) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    double nanoseconds = 0;
    if (std::ifstream(task.path() / "schedstat") >> nanoseconds) {
      threads[std::stoi(task.path().filename())] = nanoseconds / 1e3;
    }
  }
  if (threads.empty()) {
    throw std::runtime_error("the kernel does not tell the CPU time of threads: no schedstat");
  }
  return threads;
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

double process_cpu_us(pid_t process, pid_t apart) {
  double sum = 0;
  for (const auto& [thread, cpu] : threads_cpu_us(process)) {
    sum += thread == apart ? 0 : cpu;
  }
  return sum;
}

pid_t busiest_thread(pid_t process) {
  pid_t busiest = 0;
  double most = 0;
  for (const auto& [thread, cpu] : threads_cpu_us(process)) {
    if (thread != process && cpu > most) {
      busiest = thread;
      most = cpu;
    }
  }
  return busiest;
}

unsigned usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    throw std::runtime_error("sched_getaffinity failed");
  }
  return static_cast<unsigned>(CPU_COUNT(&set));
}

double wall_us() {
  return read_us(CLOCK_MONOTONIC);
}

double quantile(const std::vector<double>& values, double part) {
  const double last = static_cast<double>(values.size() - 1);
  return values.at(static_cast<std::size_t>(std::lround(part * last)));
}

}  // namespace estia::bench
