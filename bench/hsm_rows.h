// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/report.h"
#include "bench/turns.h"

namespace estia::bench {

inline constexpr const char* kRateUnit = "signatures/s";

/// What is judged, and what it is compared with, of the same rounds.
struct Paces {
  const Pace& subject;
  const Pace& reference;
};

/// "NAME, 16 threads".
[[nodiscard]] std::string with_threads(const std::string& name, std::size_t threads);

/// How many in a second, by the clock; the ratio is the median of the rounds'.
void add_row(const std::string& name, const std::string& unit, const Paces& paces,
             std::optional<double> goal, std::vector<Row>& rows);

/// Through hsm/ beside the calls alone: rate with its interval, CPU and latencies. `kind` chooses
/// the goal.
void add_bare_rows(const std::string& name, const std::string& kind, const Pace& hsm,
                   const Pace& bare, std::vector<Row>& rows);
/// Among many objects beside few.
void add_objects_rows(const std::string& name, const Paces& paces, std::vector<Row>& rows);
/// Many threads beside one, through hsm/ and by the calls alone.
void add_crowd_rows(const std::string& name, const Paces& hsm, const Paces& bare,
                    std::vector<Row>& rows);
/// PKCS #11 calls for one signature.
void add_calls_row(const std::string& kind, double hsm, double bare, std::vector<Row>& rows);
/// A kind of which there are no figures.
void add_impossible_row(const std::string& kind, const std::string& why, std::vector<Row>& rows);

}  // namespace estia::bench
