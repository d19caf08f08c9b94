// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/limit.h"
#include "bench/load.h"
#include "bench/ratio.h"
#include "bench/report.h"

namespace estia::bench {

inline constexpr const char* kCpuUnit = "us CPU";

/// What a load is called, and what it is judged by.
struct LoadCase {
  std::string bench;
  std::string name;
  std::size_t clients = 1;
  Handshake handshake = Handshake::none;
  std::string rate;  ///< the unit of what is made in a second
  std::optional<double> goal;
};

/// CPU and rate beside the limit, and latencies. One client alone waits for the disk most of the
/// time: the goal is about load.
void add_load_rows(const LoadCase& load, const Limit& limit, const LoadResult& result,
                   std::vector<Row>& rows);

/// "part: NAME", microseconds of CPU.
void add_part_row(const std::string& bench, const std::string& name, double cpu_us,
                  std::vector<Row>& rows);
/// The parts that every certificate has.
void add_signature_and_store_rows(const std::string& bench, const Parts& parts,
                                  const std::map<std::size_t, StoreSpeed>& stores,
                                  std::vector<Row>& rows);

/// Between what a case's ratio lies with 95 %.
void add_interval_rows(const std::string& bench, const std::string& name, const Ratio& ratio,
                       std::vector<Row>& rows);
/// How far a case's keys are from each other.
void add_spread_row(const std::string& bench, const std::string& name, double spread,
                    std::vector<Row>& rows);

/// "NAME, 16 clients".
[[nodiscard]] std::string with_clients(const std::string& name, std::size_t clients);

}  // namespace estia::bench
