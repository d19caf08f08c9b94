// SPDX-License-Identifier: Apache-2.0
#include "bench/hsm_keys.h"

#include <algorithm>
#include <memory>
#include <ostream>
#include <random>
#include <stdexcept>

#include "bench/bare_keys.h"
#include "bench/cpu.h"
#include "bench/load_rows.h"
#include "bench/ratio.h"
#include "bench/scale.h"
#include "bench/stock.h"
#include "crypto/base/secure_bytes.h"
#include "hsm/server_keys.h"

namespace estia::bench {
namespace {

constexpr double kGoal = 0.80;
constexpr std::size_t kSecureHeap = std::size_t{1} << 20U;

/// How a kind is measured.
struct Plan {
  std::size_t rounds;
  std::size_t keys;  ///< of each side in a round
};

Plan plan_of(const crypto::KeySpec& kind, double scale) {
  constexpr std::size_t kRounds = 61;
  constexpr std::size_t kKeys = 10;
  constexpr std::size_t kSearches = 32;
  return is_searched(kind) ? Plan{scaled(fewer_by_size(kSearches, kind), scale, 2), 1}
                           : Plan{scaled(kRounds, scale, 2), kKeys};
}

/// Of one key, by round.
struct Times {
  Compared cpu;  ///< through hsm, beside the calls alone
  Compared wall;
  std::vector<double> bare_wrap;  ///< CPU of all but the making
};

class HsmKeysBench final {
 public:
  HsmKeysBench(const hsm::TokenConfig& config, double scale, std::ostream& progress)
      : scale_(scale),
        progress_(progress),
        token_(hsm::Token::open(config)),
        keys_(std::make_unique<hsm::ServerKeys>(*token_, hsm::ServerKeysLimits{}, clock_)),
        bare_(config, keys_->status().mechanism) {}

  [[nodiscard]] HsmKeys run(const std::vector<crypto::KeySpec>& kinds) {
    for (const crypto::KeySpec& kind : kinds) {
      progress_ << "through hsm/ and by the calls alone: " << kind.name
                << (is_searched(kind) ? ", whose primes are found by luck" : "") << std::endl;
      const Times times = measure(kind);
      found_.bare[kind.name] = {.keys = times.cpu.reference, .wrap = median(times.bare_wrap)};
      if (is_searched(kind)) {
        report_searched(kind, times);
      } else {
        report(kind, times);
      }
    }
    measure_stock(kinds);
    return std::move(found_);
  }

 private:
  [[nodiscard]] Times measure(const crypto::KeySpec& kind);
  void measure_stock(const std::vector<crypto::KeySpec>& kinds);
  void take_stock(const crypto::KeySpec& kind, std::size_t depth);
  void report(const crypto::KeySpec& kind, const Times& times);
  void report_searched(const crypto::KeySpec& kind, const Times& times);
  void add(const std::string& name, double value, const char* unit, double reference, double ratio,
           std::optional<double> goal = {});
  void add_interval(const std::string& name, const Ratio& ratio);

  const double scale_;
  std::ostream& progress_;
  const SystemClock clock_;
  const std::shared_ptr<hsm::Token> token_;
  std::unique_ptr<hsm::ServerKeys> keys_;
  BareKeys bare_;
  HsmKeys found_;
};

Times HsmKeysBench::measure(const crypto::KeySpec& kind) {
  const Plan plan = plan_of(kind, scale_);
  BareKeys::Kind bare_kind(kind);
  const auto keys = static_cast<double>(plan.keys);
  Times times;
  const auto through_hsm = [&] {
    const double wall = wall_us();
    const double cpu = thread_cpu_us();
    for (std::size_t i = 0; i < plan.keys; ++i) {
      static_cast<void>(keys_->generate(kind));
    }
    times.cpu.subject.push_back((thread_cpu_us() - cpu) / keys);
    times.wall.subject.push_back((wall_us() - wall) / keys);
  };
  const auto by_calls = [&] {
    const double wall = wall_us();
    const double cpu = thread_cpu_us();
    double wrapping = 0;
    for (std::size_t i = 0; i < plan.keys; ++i) {
      const hsm::SessionPair pair = bare_.generate(bare_kind);
      wrapping -= thread_cpu_us();
      bare_.wrap_and_destroy(pair);
      wrapping += thread_cpu_us();
    }
    times.cpu.reference.push_back((thread_cpu_us() - cpu) / keys);
    times.wall.reference.push_back((wall_us() - wall) / keys);
    times.bare_wrap.push_back(wrapping / keys);
  };
  // Which goes first is drawn, so that what drifts meets both alike; the same each time.
  std::mt19937 random(7030);  // NOLINT(cert-msc51-cpp): no secret
  for (std::size_t round = 0; round < plan.rounds; ++round) {
    const bool hsm_first = (random() & 1U) != 0;
    if (hsm_first) {
      through_hsm();
    }
    by_calls();
    if (!hsm_first) {
      through_hsm();
    }
  }
  return times;
}

void HsmKeysBench::add(const std::string& name, double value, const char* unit, double reference,
                       double ratio, std::optional<double> goal) {
  found_.rows.push_back({.bench = kServerKeygen,
                         .name = "hsm: " + name,
                         .value = value,
                         .unit = unit,
                         .reference = reference,
                         .ratio = ratio,
                         .goal = goal});
}

void HsmKeysBench::add_interval(const std::string& name, const Ratio& ratio) {
  add_interval_rows(kServerKeygen, "hsm: " + name, ratio, found_.rows);
}

void HsmKeysBench::report(const crypto::KeySpec& kind, const Times& times) {
  const Ratio ratio = ratio_of_rounds(times.cpu);
  add(kind.name, median(times.cpu.subject), kCpuUnit, median(times.cpu.reference), ratio.value,
      kGoal);
  add_interval(kind.name, ratio);
  add(kind.name, 1e6 / median(times.wall.subject), "keys/s", 1e6 / median(times.wall.reference),
      ratio_of_rounds(times.wall).value);
}

void HsmKeysBench::report_searched(const crypto::KeySpec& kind, const Times& times) {
  const std::string name = kind.name + ", cold";
  const Ratio ratio = ratio_of_means(times.cpu);
  add(name, mean(times.cpu.subject), kCpuUnit, mean(times.cpu.reference), ratio.value, kGoal);
  add_interval(name, ratio);
  add_spread_row(kServerKeygen, "hsm: " + name, spread(times.cpu.reference), found_.rows);
  add(name, 1e6 / mean(times.wall.subject), "keys/s", 1e6 / mean(times.wall.reference),
      ratio_of_means(times.wall).value);
}

/// Once all else is measured: the stock is filled by a thread of its own.
void HsmKeysBench::measure_stock(const std::vector<crypto::KeySpec>& kinds) {
  constexpr std::size_t kDepth = 12;
  hsm::ServerKeysLimits limits;
  for (const crypto::KeySpec& kind : kinds) {
    if (is_searched(kind)) {
      limits.stock[kind.name] = std::min(hsm::ServerKeysLimits::kMostStock,
                                         scaled(fewer_by_size(kDepth, kind), scale_, 1));
    }
  }
  if (limits.stock.empty()) {
    return;
  }
  progress_ << "filling a stock of RSA pairs" << std::endl;
  keys_ = std::make_unique<hsm::ServerKeys>(*token_, limits, clock_);
  wait_for_stock(limits.stock, [&] { return keys_->status().stock; });
  for (const auto& [kind, depth] : limits.stock) {
    take_stock(crypto::KeySpec::parse(kind), depth);
  }
}

void HsmKeysBench::take_stock(const crypto::KeySpec& kind, std::size_t depth) {
  std::vector<double> cpu;
  std::vector<double> wall;
  for (std::size_t i = 0; i < depth; ++i) {
    const double wall_before = wall_us();
    const double cpu_before = thread_cpu_us();
    static_cast<void>(keys_->generate(kind));
    cpu.push_back(thread_cpu_us() - cpu_before);
    wall.push_back(wall_us() - wall_before);
  }
  const BareCost& bare = found_.bare.at(kind.name);
  const std::string name = kind.name + ", warm";
  const double key = mean(bare.keys);
  const double taken = median(cpu);
  add(name, taken, kCpuUnit, key, key / taken, kGoal);
  add(name, 1e6 / median(wall), "keys/s", 1e6 / key, key / median(wall));
  add(name + ", beside wrapping", taken, kCpuUnit, bare.wrap, bare.wrap / taken);
  const double search = key - bare.wrap;
  add(kind.name + ", one search for both", search + taken, kCpuUnit, key, key / (search + taken));
}

}  // namespace

HsmKeys measure_hsm_keys(const hsm::TokenConfig& token, const std::vector<crypto::KeySpec>& kinds,
                         double scale, std::ostream& progress) {
  open_secure_heap(kSecureHeap);
  return HsmKeysBench(token, scale, progress).run(kinds);
}

std::size_t fewer_by_size(std::size_t usual, const crypto::KeySpec& kind) {
  // A search takes about the fourth power of the length.
  constexpr unsigned kUsual = 2048;
  const double times = static_cast<double>(kind.bits) / kUsual;
  return std::max<std::size_t>(
      1, static_cast<std::size_t>(static_cast<double>(usual) / (times * times)));
}

}  // namespace estia::bench
