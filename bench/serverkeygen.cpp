// SPDX-License-Identifier: Apache-2.0
#include "bench/serverkeygen.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "bench/cpu.h"
#include "bench/hsm_keys.h"
#include "bench/limit.h"
#include "bench/load_rows.h"
#include "bench/ratio.h"
#include "bench/scale.h"
#include "bench/site.h"
#include "hsm/server_keys.h"
#include "tests/support/certificates.h"

namespace estia::bench {
namespace {

constexpr double kGoal = 0.70;
/// Enrolments before the clock starts: an estiad's first request is dear.
constexpr std::size_t kFirst = 1;
constexpr std::size_t kCompared = 400;  // calls of a part in a round

/// How many clients, and how many keys they are given together; of RSA-2048, and fewer of what is
/// longer.
struct Crowd {
  std::size_t clients;
  std::size_t keys;
  std::size_t most_each = 100'000;
};
constexpr std::array<Crowd, 2> kCrowds{{{1, 100}, {16, 1600}}};  // EC
constexpr Crowd kCold{2, 32};  // as many clients as a small machine has processors
constexpr Crowd kWarm{4, 48, hsm::ServerKeysLimits::kMostStock / 4};

struct Kind {
  crypto::KeySpec spec;
  crypto::PrivateKey key;  ///< of all requests for that kind: it is not the one that is certified
};

std::vector<crypto::KeySpec> specs_of(std::vector<std::string> names) {
  if (names.empty()) {
    names = {"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072"};
  }
  std::vector<crypto::KeySpec> specs;
  for (const std::string& name : names) {
    specs.push_back(crypto::KeySpec::parse(name));
  }
  return specs;
}

class FullBench final {
 public:
  FullBench(const std::vector<crypto::KeySpec>& kinds, double scale, std::ostream& progress)
      : scale_(scale), progress_(progress) {
    for (const crypto::KeySpec& spec : kinds) {
      kinds_.push_back({spec, crypto::PrivateKey::generate_software(spec)});
    }
  }

  [[nodiscard]] std::vector<Row> run() {
    HsmKeys hsm = measure_hsm_keys(site_.token(), specs(), scale_, progress_);
    rows_ = std::move(hsm.rows);
    bare_ = std::move(hsm.bare);
    progress_ << "measuring the parts, each alone" << std::endl;
    measure_parts();
    make_keys_when_asked();
    if (searched()) {
      give_keys_from_stock();
    }
    return std::move(rows_);
  }

 private:
  [[nodiscard]] std::vector<crypto::KeySpec> specs() const;
  [[nodiscard]] bool searched() const;
  void measure_parts();
  void make_keys_when_asked();
  void give_keys_from_stock();
  /// The limit of keys of that kind, of which the token's own work is `key_us`.
  [[nodiscard]] Limit limit(const Kind& kind, double key_us) const;
  [[nodiscard]] std::size_t keys_each(const Kind& kind, const Crowd& crowd) const;
  LoadResult load(const std::string& name, const Kind& kind, const Crowd& crowd, double key_us,
                  pid_t apart);
  void report_luck(const std::string& name, const Kind& kind, const LoadResult& result,
                   const Limit& limit);

  const double scale_;
  std::ostream& progress_;
  std::vector<Kind> kinds_;
  Site site_;
  std::map<std::string, BareCost> bare_;
  Parts parts_;                          // but for what differs between kinds
  std::map<std::string, double> parse_;  // a CSR, by kind
  std::map<std::size_t, StoreSpeed> stores_;
  std::vector<Row> rows_;
};

std::vector<crypto::KeySpec> FullBench::specs() const {
  std::vector<crypto::KeySpec> specs;
  for (const Kind& kind : kinds_) {
    specs.push_back(kind.spec);
  }
  return specs;
}

bool FullBench::searched() const {
  return std::ranges::any_of(kinds_, [](const Kind& kind) { return is_searched(kind.spec); });
}

void FullBench::measure_parts() {
  const crypto::Certificate issuing = site_.issuing_ca();
  const std::size_t count = scaled(kCompared, scale_, 20);
  measure_signature(site_.token(), issuing, count, parts_);
  for (const Kind& kind : kinds_) {
    const std::string& name = kind.spec.name;
    const std::vector<Bytes> csrs(count, test::make_csr_der(kind.key, "CN=part"));
    parse_[name] = measure_parse(csrs);
    add_part_row(kServerKeygen, "CSR parsed, " + name, parse_[name], rows_);
    add_part_row(kServerKeygen, "key made and wrapped, " + name, mean(bare_.at(name).keys), rows_);
    if (is_searched(kind.spec)) {
      add_part_row(kServerKeygen, "key wrapped, " + name, bare_.at(name).wrap, rows_);
    }
  }
  for (const Crowd& crowd : {kCrowds[0], kCrowds[1], kCold, kWarm}) {
    const std::size_t certificates = scaled(std::max(crowd.keys, kCompared), scale_, crowd.clients);
    stores_[crowd.clients] =
        measure_store(site_.installation().directory(), crowd.clients, certificates, issuing.tbs());
  }
  add_signature_and_store_rows(kServerKeygen, parts_, stores_, rows_);
}

void FullBench::make_keys_when_asked() {
  site_.serve_keys("at_once = " + std::to_string(kCrowds.back().clients) +
                   "\nrsa_at_once = " + std::to_string(kCold.clients) + "\n");
  site_.start(kFirst);
  for (const Kind& kind : kinds_) {
    const double key_us = mean(bare_.at(kind.spec.name).keys);
    if (is_searched(kind.spec)) {
      const std::string name = kind.spec.name + ", cold";
      report_luck(name, kind, load(name, kind, kCold, key_us, 0), limit(kind, key_us));
      continue;
    }
    for (const Crowd& crowd : kCrowds) {
      static_cast<void>(load(kind.spec.name, kind, crowd, key_us, 0));
    }
  }
  site_.stop();
}

/// As many as the stock holds, so that none is made while a client waits; the next ones are, by a
/// thread of estiad that is left out.
void FullBench::give_keys_from_stock() {
  Stock stock;
  std::string limits;
  for (const Kind& kind : kinds_) {
    if (is_searched(kind.spec)) {
      const std::size_t depth = keys_each(kind, kWarm) * kWarm.clients;
      stock[kind.spec.name] = depth;
      limits += "stock_rsa_" + kind.spec.name.substr(kind.spec.name.find('-') + 1) + " = " +
                std::to_string(depth) + "\n";
    }
  }
  site_.serve_keys(limits);
  site_.start(kFirst);
  progress_ << "filling estiad's stock of RSA pairs" << std::endl;
  wait_for_stock(stock, [&] { return site_.stock(); });
  const pid_t filling = busiest_thread(site_.served().process);
  for (const Kind& kind : kinds_) {
    if (is_searched(kind.spec)) {
      static_cast<void>(
          load(kind.spec.name + ", warm", kind, kWarm, bare_.at(kind.spec.name).wrap, filling));
    }
  }
  site_.stop();
}

Limit FullBench::limit(const Kind& kind, double key_us) const {
  Parts parts = parts_;
  parts.csr = parse_.at(kind.spec.name);
  parts.key = key_us;
  return {parts, stores_, usable_cores()};
}

std::size_t FullBench::keys_each(const Kind& kind, const Crowd& crowd) const {
  const std::size_t keys =
      is_searched(kind.spec) ? fewer_by_size(crowd.keys, kind.spec) : crowd.keys;
  return std::min(crowd.most_each, scaled(keys / crowd.clients, scale_, 2));
}

LoadResult FullBench::load(const std::string& name, const Kind& kind, const Crowd& crowd,
                           double key_us, pid_t apart) {
  const std::string whole = "full: " + with_clients(name, crowd.clients);
  progress_ << whole << std::endl;
  Served served = site_.served();
  served.apart = apart;
  LoadResult result = run_load(site_.key_clients(crowd.clients, keys_each(kind, crowd), kind.key),
                               Connections::kept, served);
  add_load_rows({.bench = kServerKeygen,
                 .name = whole,
                 .clients = crowd.clients,
                 .handshake = Handshake::none,
                 .rate = "keys/s",
                 .goal = kGoal},
                limit(kind, key_us), result, rows_);
  return result;
}

/// The server's CPU is known in sum only; its spread is that of the answers' times, whose search
/// it is.
void FullBench::report_luck(const std::string& name, const Kind& kind, const LoadResult& result,
                            const Limit& limit) {
  const std::string whole = "full: " + with_clients(name, kCold.clients);
  const Ratio luck = ratio_of_means({result.latencies, bare_.at(kind.spec.name).keys});
  const double value = limit.cpu_us(Handshake::none, kCold.clients) / result.server_cpu_us;
  const Ratio ratio{
      .value = value, .low = value * luck.low / luck.value, .high = value * luck.high / luck.value};
  add_interval_rows(kServerKeygen, whole, ratio, rows_);
  add_spread_row(kServerKeygen, whole, spread(result.latencies), rows_);
}

}  // namespace

std::vector<Row> bench_serverkeygen(const std::vector<std::string>& kinds, double scale,
                                    std::ostream& progress) {
  ::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): a connection that breaks is an exception
  return FullBench(specs_of(kinds), scale, progress).run();
}

}  // namespace estia::bench
