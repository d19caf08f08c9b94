// SPDX-License-Identifier: Apache-2.0
#include "bench/turns.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <exception>
#include <mutex>
#include <numeric>
#include <random>
#include <thread>
#include <utility>

#include "bench/cpu.h"

namespace estia::bench {
namespace {

constexpr int kFirst = 2;  // operations before the clock starts: buffers and sessions of a thread

/// One turn of one way.
class Turn final {
 public:
  Turn(const Way& way, double turn_us)
      : way_(way),
        turn_us_(turn_us),
        all_ready_(static_cast<std::ptrdiff_t>(way.threads), Start{start_us_}) {}

  void run(Pace& pace) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < way_.threads; ++i) {
      threads.emplace_back([this, i] { run_thread(i); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    pace.us.push_back(1 / per_us_);
    pace.cpu_us.push_back(cpu_us_ / static_cast<double>(latencies_.size()));
    pace.latencies.insert(pace.latencies.end(), latencies_.begin(), latencies_.end());
  }

 private:
  struct Start {
    double& us;
    void operator()() noexcept { us = wall_us(); }
  };

  void run_thread(std::size_t thread) noexcept {
    Way::Operation operation;
    try {
      operation = way_.begin(thread);
      for (int i = 0; i < kFirst; ++i) {
        operation();
      }
    } catch (...) {
      fail();
    }
    all_ready_.arrive_and_wait();
    if (failed_) {
      return;
    }
    try {
      work(operation);
    } catch (...) {
      fail();
    }
  }

  void work(const Way::Operation& operation) {
    std::vector<double> latencies;
    const double cpu = thread_cpu_us();
    double now = wall_us();
    do {
      operation();
      const double before = std::exchange(now, wall_us());
      latencies.push_back((now - before) / 1000);
    } while (now < start_us_ + turn_us_ && !failed_);
    const double used = thread_cpu_us() - cpu;
    const std::scoped_lock lock(mutex_);
    cpu_us_ += used;
    // A thread that ends late was at work for longer: its share counts by its own time.
    per_us_ += static_cast<double>(latencies.size()) / (now - start_us_);
    latencies_.insert(latencies_.end(), latencies.begin(), latencies.end());
  }

  void fail() noexcept {
    const std::scoped_lock lock(mutex_);
    failed_ = true;
    failure_ = std::current_exception();
  }

  const Way& way_;
  const double turn_us_;
  double start_us_ = 0;
  std::barrier<Start> all_ready_;
  std::atomic<bool> failed_{false};
  std::mutex mutex_;  // guards what follows
  double cpu_us_ = 0;
  double per_us_ = 0;  ///< operations
  std::vector<double> latencies_;
  std::exception_ptr failure_;
};

}  // namespace

std::vector<Pace> by_turns(const std::vector<Way>& ways, const Turns& turns) {
  std::vector<Pace> paces(ways.size());
  std::vector<std::size_t> order(ways.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 random(7030);  // NOLINT(cert-msc51-cpp): no secret
  for (std::size_t round = 0; round < turns.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t way : order) {
      Turn(ways[way], turns.turn_us).run(paces[way]);
    }
  }
  for (Pace& pace : paces) {
    std::sort(pace.latencies.begin(), pace.latencies.end());
  }
  return paces;
}

}  // namespace estia::bench
