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
    const auto all = static_cast<double>(latencies_.size());
    pace.us.push_back(in_time_ > 0 ? turn_us_ / in_time_ : (end_us_ - start_us_) / all);
    pace.cpu_us.push_back(cpu_us_ / all);
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
      operation();  // buffers and sessions of a thread
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
    const double limit = start_us_ + turn_us_;
    const double cpu = thread_cpu_us();
    double before = 0;
    double now = wall_us();
    do {
      operation();
      before = std::exchange(now, wall_us());
      latencies.push_back((now - before) / 1000);
    } while (now < limit && !failed_);
    const double used = thread_cpu_us() - cpu;
    // Of the operation that was going on at the limit, the part that had passed.
    const double part = now > before ? std::clamp((limit - before) / (now - before), 0.0, 1.0) : 0;
    const std::scoped_lock lock(mutex_);
    cpu_us_ += used;
    in_time_ += static_cast<double>(latencies.size() - 1) + part;
    end_us_ = std::max(end_us_, now);
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
  double in_time_ = 0;  ///< operations until the limit
  double end_us_ = 0;
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
