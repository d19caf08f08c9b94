// SPDX-License-Identifier: Apache-2.0
// estia_bench NAME... [--json FILE]: bench/run.sh builds and starts it.
#include <CLI/CLI.hpp>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "bench/bare_server.h"
#include "bench/enroll.h"
#include "bench/hsm.h"
#include "bench/network.h"
#include "bench/report.h"
#include "bench/serverkeygen.h"
#include "bench/timing.h"

namespace estia::bench {
namespace {

struct Arguments {
  std::vector<std::string> names;
  std::string json;
  double scale = 1;
  std::vector<std::string> kinds;
};

using Bench = std::function<std::vector<Row>(const Arguments& given, std::ostream& progress)>;

const std::map<std::string, Bench>& benches() {
  static const std::map<std::string, Bench> all{
      {"enroll", [](const auto& given, auto& out) { return bench_enroll(given.scale, out); }},
      {"hsm",
       [](const auto& given, auto& out) { return bench_hsm(given.kinds, given.scale, out); }},
      {"network", [](const auto& given, auto& out) { return bench_network(given.scale, out); }},
      {"serverkeygen", [](const auto& given,
                          auto& out) { return bench_serverkeygen(given.kinds, given.scale, out); }},
      {"timing", [](const auto& given, auto& out) { return bench_timing(given.scale, out); }}};
  return all;
}

void declare(CLI::App& parser, Arguments& arguments) {
  std::vector<std::string> known;
  for (const auto& [name, bench] : benches()) {
    known.push_back(name);
  }
  constexpr double kLeast = 0.001;
  constexpr double kMost = 20;
  parser.add_option("NAME", arguments.names, "what to measure")
      ->required()
      ->check(CLI::IsMember(known));
  parser.add_option("--json", arguments.json, "write the figures here as well")->type_name("FILE");
  parser
      .add_option("--scale", arguments.scale,
                  "how many enrolments, keys, attempts or rounds, in relation to the default")
      ->check(CLI::Range(kLeast, kMost))
      ->capture_default_str();
  parser
      .add_option("--kind", arguments.kinds,
                  "hsm, serverkeygen: this kind of key, once for each; default: the usual ones")
      ->check(CLI::IsMember({"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096"}))
      ->allow_extra_args(false);
}

int run(int argc, char** argv) {
  CLI::App parser("Estia's benchmarks; docs/bench.md says what the figures mean");
  Arguments arguments;
  declare(parser, arguments);
  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    constexpr int kMisuse = 2;
    return parser.exit(error) == 0 ? 0 : kMisuse;
  }
  std::vector<Row> rows;
  for (const std::string& name : arguments.names) {
    const std::vector<Row> more = benches().at(name)(arguments, std::cerr);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  print_table(std::cout, rows);
  if (!arguments.json.empty()) {
    std::ofstream file(arguments.json, std::ios::trunc);
    print_json(file, rows);
    if (!file.flush()) {
      throw std::runtime_error("cannot write " + arguments.json);
    }
  }
  return 0;
}

}  // namespace
}  // namespace estia::bench

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (!arguments.empty() && arguments.front() == estia::bench::kBareServer) {
      estia::bench::serve_bare({arguments.begin() + 1, arguments.end()});
    }
    return estia::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "estia_bench: " << error.what() << "\n";
    return 1;
  }
}
