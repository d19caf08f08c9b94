// SPDX-License-Identifier: Apache-2.0
#include "bench/enroll.h"

#include <signal.h>

#include <array>
#include <ostream>

#include "bench/cpu.h"
#include "bench/limit.h"
#include "bench/load_rows.h"
#include "bench/scale.h"
#include "bench/site.h"
#include "tests/support/tls_client.h"

namespace estia::bench {
namespace {

constexpr const char* kBench = "enroll";
constexpr double kKeepAliveGoal = 0.70;
constexpr double kMutualGoal = 0.60;

/// How many clients, and how many enrolments all of them make together.
struct Crowd {
  std::size_t clients;
  std::size_t enrolments;
};
constexpr std::array<Crowd, 3> kCrowds{{{1, 200}, {16, 1600}, {64, 2560}}};

struct Way {
  const char* name;
  Handshake handshake;
  Connections connections;
  bool devices;  ///< client certificates; else the account's password
  std::optional<double> goal;
};
constexpr std::array<Way, 4> kWays{{
    {"keep-alive, password", Handshake::none, Connections::kept, false, kKeepAliveGoal},
    {"keep-alive, certificate", Handshake::none, Connections::kept, true, kKeepAliveGoal},
    {"new TLS, password", Handshake::server_only, Connections::new_each, false, std::nullopt},
    {"new mutual TLS", Handshake::mutual, Connections::new_each, true, kMutualGoal},
}};

class EnrollBench final {
 public:
  EnrollBench(double scale, std::ostream& progress) : scale_(scale), progress_(progress) {}

  [[nodiscard]] std::vector<Row> run() {
    progress_ << "measuring the parts, each alone" << std::endl;
    const Limit limit = measure_parts();
    site_.start(kCrowds.back().clients);
    for (const Way& way : kWays) {
      for (const Crowd& crowd : kCrowds) {
        progress_ << with_clients(way.name, crowd.clients) << std::endl;
        add_load_rows({.bench = kBench,
                       .name = with_clients(way.name, crowd.clients),
                       .clients = crowd.clients,
                       .handshake = way.handshake,
                       .rate = "enrolments/s",
                       .goal = way.goal},
                      limit, load(way, crowd), rows_);
      }
    }
    site_.stop();
    return std::move(rows_);
  }

 private:
  [[nodiscard]] Limit measure_parts();
  [[nodiscard]] LoadResult load(const Way& way, const Crowd& crowd);
  void report_parts(const Parts& parts, const std::map<std::size_t, StoreSpeed>& stores);

  const double scale_;
  std::ostream& progress_;
  Site site_;
  std::vector<Row> rows_;
};

Limit EnrollBench::measure_parts() {
  const e2e::Installation& site = site_.installation();
  const crypto::Certificate issuing = site_.issuing_ca();
  const std::size_t count = scaled(400, scale_, 20);
  Parts parts;
  measure_signature(site_.token(), issuing, count, parts);
  const http::TlsIdentity server = site_.server_identity();
  const http::TlsIdentity client = test::make_tls_identity("CN=device");
  parts.handshake = measure_handshake(server, nullptr, count);
  parts.mutual_handshake = measure_handshake(server, &client, count);
  std::vector<Bytes> csrs;
  for (std::size_t i = 0; i < count; ++i) {
    csrs.push_back(new_csr("CN=part-" + std::to_string(i)));
  }
  parts.csr = measure_csr(csrs);
  std::map<std::size_t, StoreSpeed> stores;
  for (const Crowd& crowd : kCrowds) {
    const std::size_t certificates = scaled(crowd.enrolments, scale_, crowd.clients);
    stores[crowd.clients] =
        measure_store(site.directory(), crowd.clients, certificates, issuing.tbs());
  }
  report_parts(parts, stores);
  return {parts, stores, usable_cores()};
}

void EnrollBench::report_parts(const Parts& parts,
                               const std::map<std::size_t, StoreSpeed>& stores) {
  add_part_row(kBench, "TLS handshake", parts.handshake, rows_);
  add_part_row(kBench, "mutual TLS handshake", parts.mutual_handshake, rows_);
  add_part_row(kBench, "CSR parsed and verified", parts.csr, rows_);
  add_signature_and_store_rows(kBench, parts, stores, rows_);
}

LoadResult EnrollBench::load(const Way& way, const Crowd& crowd) {
  const std::size_t each = scaled(crowd.enrolments / crowd.clients, scale_, 2);
  const auto clients = way.devices ? site_.device_clients(crowd.clients, each, way.connections)
                                   : site_.account_clients(crowd.clients, each, way.connections);
  return run_load(clients, way.connections, site_.served());
}

}  // namespace

std::vector<Row> bench_enroll(double scale, std::ostream& progress) {
  ::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): a connection that breaks is an exception
  return EnrollBench(scale, progress).run();
}

}  // namespace estia::bench
