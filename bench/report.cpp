// SPDX-License-Identifier: Apache-2.0
#include "bench/report.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

namespace estia::bench {
namespace {

std::string number(double value) {
  std::ostringstream text;
  const int places = value >= 1000 ? 0 : value >= 10 ? 1 : 2;
  text << std::fixed << std::setprecision(places) << value;
  return text.str();
}

std::string number(const std::optional<double>& value) {
  return value ? number(*value) : "";
}

std::string verdict(const Row& row) {
  if (!row.goal || !row.ratio) {
    return "";
  }
  return *row.ratio >= *row.goal ? "met" : "MISSED";
}

nlohmann::ordered_json rounded(const std::optional<double>& value) {
  constexpr double kPlaces = 1e4;
  return value ? nlohmann::ordered_json(std::round(*value * kPlaces) / kPlaces)
               : nlohmann::ordered_json();
}

}  // namespace

void print_table(std::ostream& out, const std::vector<Row>& rows) {
  std::size_t names = 0;
  std::size_t units = 0;
  for (const Row& row : rows) {
    names = std::max(names, row.name.size());
    units = std::max(units, row.unit.size());
  }
  const auto line = [&](const std::string& name, const std::string& value, const std::string& unit,
                        const std::string& reference, const std::string& ratio,
                        const std::string& goal, const std::string& met) {
    constexpr int kNumber = 10;
    out << std::left << std::setw(static_cast<int>(names)) << name << std::right
        << std::setw(kNumber) << value << ' ' << std::left << std::setw(static_cast<int>(units))
        << unit << std::right << std::setw(kNumber) << reference << std::setw(kNumber) << ratio
        << std::setw(kNumber) << goal << "  " << met << "\n";
  };
  line("case", "value", "unit", "reference", "ratio", "goal", "");
  for (const Row& row : rows) {
    line(row.name, number(row.value), row.unit, number(row.reference), number(row.ratio),
         number(row.goal), verdict(row));
  }
}

void print_json(std::ostream& out, const std::vector<Row>& rows) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    list.push_back({{"bench", row.bench},
                    {"case", row.name},
                    {"value", rounded(row.value)},
                    {"unit", row.unit},
                    {"reference", rounded(row.reference)},
                    {"ratio", rounded(row.ratio)},
                    {"goal", rounded(row.goal)}});
  }
  out << list.dump(2) << "\n";
}

}  // namespace estia::bench
