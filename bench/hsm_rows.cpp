// SPDX-License-Identifier: Apache-2.0
#include "bench/hsm_rows.h"

#include "bench/cpu.h"
#include "bench/load_rows.h"
#include "bench/ratio.h"

namespace estia::bench {
namespace {

constexpr const char* kBench = "hsm";
constexpr double kGoalOfManyObjects = .95;
constexpr double kGoalOfManyThreads = 10;

/// A signature of P-256 takes so little that our own microseconds show.
std::optional<double> goal_beside_bare(const std::string& kind) {
  if (kind == "P-256") {
    return .85;
  }
  return kind.starts_with("RSA") ? std::optional(.95) : std::nullopt;
}

Compared wall_of(const Paces& paces) {
  return {paces.subject.us, paces.reference.us};
}

void add_with_interval(const std::string& name, const std::string& unit, const Paces& paces,
                       std::optional<double> goal, std::vector<Row>& rows) {
  add_row(name, unit, paces, goal, rows);
  add_interval_rows(kBench, name, ratio_of_rounds(wall_of(paces)), rows);
}

}  // namespace

std::string with_threads(const std::string& name, std::size_t threads) {
  return name + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

void add_row(const std::string& name, const std::string& unit, const Paces& paces,
             std::optional<double> goal, std::vector<Row>& rows) {
  rows.push_back({.bench = kBench,
                  .name = name,
                  .value = 1e6 / median(paces.subject.us),
                  .unit = unit,
                  .reference = 1e6 / median(paces.reference.us),
                  .ratio = ratio_of_rounds(wall_of(paces)).value,
                  .goal = goal});
}

void add_bare_rows(const std::string& name, const std::string& kind, const Pace& hsm,
                   const Pace& bare, std::vector<Row>& rows) {
  add_with_interval(name, kRateUnit, {hsm, bare}, goal_beside_bare(kind), rows);
  rows.push_back({.bench = kBench,
                  .name = name,
                  .value = median(hsm.cpu_us),
                  .unit = kCpuUnit,
                  .reference = median(bare.cpu_us),
                  .ratio = ratio_of_rounds({hsm.cpu_us, bare.cpu_us}).value});
  const auto latency = [&](double part, const char* unit) {
    const double value = quantile(hsm.latencies, part);
    const double reference = quantile(bare.latencies, part);
    rows.push_back({.bench = kBench,
                    .name = name,
                    .value = value,
                    .unit = unit,
                    .reference = reference,
                    .ratio = reference / value});
  };
  latency(.5, "ms, p50");
  latency(.99, "ms, p99");
}

void add_objects_rows(const std::string& name, const Paces& paces, std::vector<Row>& rows) {
  add_with_interval(name, kRateUnit, paces, kGoalOfManyObjects, rows);
}

void add_crowd_rows(const std::string& name, const Paces& hsm, const Paces& bare,
                    std::vector<Row>& rows) {
  const std::string unit = std::string(kRateUnit) + ", beside 1 thread";
  add_row(name, unit, hsm, kGoalOfManyThreads, rows);
  add_row("bare: " + name, unit, bare, {}, rows);
}

void add_calls_row(const std::string& kind, double hsm, double bare, std::vector<Row>& rows) {
  rows.push_back({.bench = kBench,
                  .name = kind,
                  .value = hsm,
                  .unit = "calls/signature",
                  .reference = bare,
                  .ratio = bare / hsm,
                  .goal = 1});
}

void add_impossible_row(const std::string& kind, const std::string& why, std::vector<Row>& rows) {
  rows.push_back({.bench = kBench,
                  .name = kind + ", which the token does not make: " + why,
                  .value = 0,
                  .unit = kRateUnit});
}

}  // namespace estia::bench
