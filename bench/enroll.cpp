// SPDX-License-Identifier: Apache-2.0
#include "bench/enroll.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include <array>
#include <cmath>
#include <ostream>
#include <stdexcept>

#include "bench/cpu.h"
#include "bench/limit.h"
#include "bench/site.h"
#include "crypto/base/file.h"
#include "crypto/x509/certificate.h"
#include "hsm/token.h"
#include "tests/support/tls_client.h"

namespace estia::bench {
namespace {

constexpr const char* kBench = "enroll";
constexpr const char* kCpuUnit = "us CPU";
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

std::size_t scaled(std::size_t count, double scale, std::size_t least) {
  return std::max(least, static_cast<std::size_t>(std::lround(static_cast<double>(count) * scale)));
}

unsigned usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    throw std::runtime_error("sched_getaffinity failed");
  }
  return static_cast<unsigned>(CPU_COUNT(&set));
}

std::string with_clients(const std::string& name, std::size_t clients) {
  return name + ", " + std::to_string(clients) + (clients == 1 ? " client" : " clients");
}

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
        report(way, crowd.clients, limit, load(way, crowd));
      }
    }
    site_.stop();
    return std::move(rows_);
  }

 private:
  [[nodiscard]] Limit measure_parts();
  [[nodiscard]] LoadResult load(const Way& way, const Crowd& crowd);
  void report(const Way& way, std::size_t clients, const Limit& limit, const LoadResult& result);
  void report_parts(const Parts& parts, const std::map<std::size_t, StoreSpeed>& stores);

  const double scale_;
  std::ostream& progress_;
  Site site_;
  std::vector<Row> rows_;
};

/// A key of the issuing CA's kind in the same token, which is left before estiad logs in.
Parts measure_token(const e2e::Installation& site, const crypto::Certificate& issuing,
                    std::size_t count) {
  if (::setenv("SOFTHSM2_CONF", (site.directory() / "softhsm2.conf").c_str(), 1) != 0) {
    throw std::runtime_error("setenv failed");
  }
  const auto token = hsm::Token::open({.module = e2e::softhsm_module(),
                                       .init_args = {},
                                       .label = site.token_label(),
                                       .serial = {},
                                       .pin = {site.pin_file()}});
  const crypto::PrivateKey key = token->generate(issuing.public_key().spec().value(), "bench");
  Parts parts;
  parts.sign = measure_sign(key, issuing.tbs(), count);
  parts.verify = measure_verify(key, issuing.tbs(), count);
  return parts;
}

Limit EnrollBench::measure_parts() {
  const e2e::Installation& site = site_.installation();
  const crypto::Certificate issuing =
      crypto::Certificate::parse_pem(read_file(site.ca_bundle())).back();
  const std::size_t count = scaled(400, scale_, 20);
  Parts parts = measure_token(site, issuing, count);
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
  const auto part = [&](const std::string& name, double value, const char* unit) {
    rows_.push_back({.bench = kBench, .name = "part: " + name, .value = value, .unit = unit});
  };
  part("TLS handshake", parts.handshake, kCpuUnit);
  part("mutual TLS handshake", parts.mutual_handshake, kCpuUnit);
  part("CSR parsed and verified", parts.csr, kCpuUnit);
  part("signature in the token", parts.sign, kCpuUnit);
  part("signature verified", parts.verify, kCpuUnit);
  for (const auto& [writers, store] : stores) {
    const std::string name = "rows, " + std::to_string(writers) + " at once";
    part(name, store.cpu_us, kCpuUnit);
    part(name, store.per_second, "certificates/s");
    part(name, store.syncs, "syncs/certificate");
  }
}

LoadResult EnrollBench::load(const Way& way, const Crowd& crowd) {
  const std::size_t each = scaled(crowd.enrolments / crowd.clients, scale_, 2);
  const auto clients = way.devices ? site_.device_clients(crowd.clients, each, way.connections)
                                   : site_.account_clients(crowd.clients, each, way.connections);
  return run_load(clients, way.connections, site_.port(), site_.pid());
}

void EnrollBench::report(const Way& way, std::size_t clients, const Limit& limit,
                         const LoadResult& result) {
  const std::string name = with_clients(way.name, clients);
  const double parts_us = limit.cpu_us(way.handshake, clients);
  const double rate = result.enrolments / result.seconds;
  const auto rate_row = [&](const char* unit, double reference) {
    rows_.push_back({.bench = kBench,
                     .name = name,
                     .value = rate,
                     .unit = unit,
                     .reference = reference,
                     .ratio = rate / reference});
  };
  // One client alone waits for the disk most of the time; the goals are about load.
  rows_.push_back({.bench = kBench,
                   .name = name,
                   .value = result.server_cpu_us,
                   .unit = kCpuUnit,
                   .reference = parts_us,
                   .ratio = parts_us / result.server_cpu_us,
                   .goal = clients > 1 ? way.goal : std::nullopt});
  rate_row("enrolments/s", limit.per_second(way.handshake, clients));
  rate_row("enrolments/s, machine shared",
           limit.per_second(way.handshake, clients, result.client_cpu_us));
  const auto plain = [&](double value, const char* unit) {
    rows_.push_back({.bench = kBench, .name = name, .value = value, .unit = unit});
  };
  plain(result.client_cpu_us, "us CPU of the client");
  plain(quantile(result.latencies, 0.5), "ms, p50");
  plain(quantile(result.latencies, 0.99), "ms, p99");
}

}  // namespace

std::vector<Row> bench_enroll(double scale, std::ostream& progress) {
  ::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): a connection that breaks is an exception
  return EnrollBench(scale, progress).run();
}

}  // namespace estia::bench
