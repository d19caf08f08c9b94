// SPDX-License-Identifier: Apache-2.0
#include "bench/load_rows.h"

#include "bench/cpu.h"

namespace estia::bench {

void add_load_rows(const LoadCase& load, const Limit& limit, const LoadResult& result,
                   std::vector<Row>& rows) {
  const double parts_us = limit.cpu_us(load.handshake, load.clients);
  const double rate = result.enrolments / result.seconds;
  const auto rate_row = [&](const std::string& unit, double reference) {
    rows.push_back({.bench = load.bench,
                    .name = load.name,
                    .value = rate,
                    .unit = unit,
                    .reference = reference,
                    .ratio = rate / reference});
  };
  rows.push_back({.bench = load.bench,
                  .name = load.name,
                  .value = result.server_cpu_us,
                  .unit = kCpuUnit,
                  .reference = parts_us,
                  .ratio = parts_us / result.server_cpu_us,
                  .goal = load.clients > 1 ? load.goal : std::nullopt});
  rate_row(load.rate, limit.per_second(load.handshake, load.clients));
  rate_row(load.rate + ", machine shared",
           limit.per_second(load.handshake, load.clients, result.client_cpu_us));
  const auto plain = [&](double value, const char* unit) {
    rows.push_back({.bench = load.bench, .name = load.name, .value = value, .unit = unit});
  };
  plain(result.client_cpu_us, "us CPU of the client");
  plain(quantile(result.latencies, 0.5), "ms, p50");
  plain(quantile(result.latencies, 0.99), "ms, p99");
}

void add_part_row(const std::string& bench, const std::string& name, double cpu_us,
                  std::vector<Row>& rows) {
  rows.push_back({.bench = bench, .name = "part: " + name, .value = cpu_us, .unit = kCpuUnit});
}

void add_signature_and_store_rows(const std::string& bench, const Parts& parts,
                                  const std::map<std::size_t, StoreSpeed>& stores,
                                  std::vector<Row>& rows) {
  add_part_row(bench, "signature in the token", parts.sign, rows);
  add_part_row(bench, "signature verified", parts.verify, rows);
  for (const auto& [writers, store] : stores) {
    const std::string name = "rows, " + std::to_string(writers) + " at once";
    add_part_row(bench, name, store.cpu_us, rows);
    const auto plain = [&](double value, const char* unit) {
      rows.push_back({.bench = bench, .name = "part: " + name, .value = value, .unit = unit});
    };
    plain(store.per_second, "certificates/s");
    plain(store.syncs, "syncs/certificate");
  }
}

void add_interval_rows(const std::string& bench, const std::string& name, const Ratio& ratio,
                       std::vector<Row>& rows) {
  rows.push_back({.bench = bench, .name = name, .value = ratio.low, .unit = "ratio, 95 % from"});
  rows.push_back({.bench = bench, .name = name, .value = ratio.high, .unit = "ratio, 95 % to"});
}

void add_spread_row(const std::string& bench, const std::string& name, double spread,
                    std::vector<Row>& rows) {
  rows.push_back(
      {.bench = bench, .name = name, .value = spread, .unit = "deviation of a key / mean"});
}

std::string with_clients(const std::string& name, std::size_t clients) {
  return name + ", " + std::to_string(clients) + (clients == 1 ? " client" : " clients");
}

}  // namespace estia::bench
