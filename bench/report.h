// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace estia::bench {

/// One figure. `reference` is what it is compared with; `ratio` and `goal` are "higher is better".
struct Row {
  std::string bench;
  std::string name;  ///< "case" in JSON
  double value = 0;
  std::string unit;
  std::optional<double> reference{};
  std::optional<double> ratio{};
  std::optional<double> goal{};
};

/// A table for people; says of each goal whether it is met.
void print_table(std::ostream& out, const std::vector<Row>& rows);
/// An array of {bench, case, value, unit, reference, ratio, goal}; what there is none of is null.
void print_json(std::ostream& out, const std::vector<Row>& rows);

}  // namespace estia::bench
