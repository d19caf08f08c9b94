// SPDX-License-Identifier: Apache-2.0
#include "bench/network.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <list>
#include <ostream>
#include <stdexcept>
#include <thread>

#include "bench/attackers.h"
#include "bench/cpu.h"
#include "bench/overload.h"
#include "bench/rates.h"
#include "bench/scale.h"
#include "bench/site.h"
#include "tests/support/tls_client.h"

namespace estia::bench {
namespace {

constexpr const char* kBench = "network";
constexpr std::size_t kProbes = 100;
constexpr std::chrono::milliseconds kBetweenProbes{20};
constexpr std::size_t kPerAddress = 90;  // the default limit is 100
constexpr std::size_t kPiece = 16384;
constexpr rlim_t kDescriptors = 8192;

/// Attackers are spread over 127.0.1.0/24: one address has only so many connections.
std::string address_of(std::size_t number) {
  return "127.0.1." + std::to_string(1 + number / kPerAddress);
}

double resident_mib(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  if (!(file >> all >> resident)) {
    throw std::runtime_error("no memory figures of estiad");
  }
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1U << 20U);
}

class NetworkBench final {
 public:
  NetworkBench(double scale, std::ostream& progress)
      : scale_(scale), progress_(progress), context_(test::make_client_context({})) {}

  std::vector<Row> run() {
    site_.start(0);
    port_ = site_.port();
    add_rates(site_, scale_, progress_, rows_);
    add_overload(site_.served(), scale_, progress_, rows_);
    baseline_ = probe("nobody else");
    attack("500 silent", [&](SlowAttackers& all) {
      for (std::size_t i = 0; i < scaled(500, scale_, 10); ++i) {
        all.add_plain(test::connect_to(port_, 0, address_of(i)), "", 0);
      }
    });
    attack("500 slow handshakes", [&](SlowAttackers& all) {
      for (std::size_t i = 0; i < scaled(500, scale_, 10); ++i) {
        all.add_plain(test::connect_to(port_, 0, address_of(i)), "\x16\x03\x01", '\x02');
      }
    });
    attack_by_tls("500 slow headers", "GET /.well-known/est/cacerts HTTP/1.1\r\nX: ", 'x');
    attack_by_tls("500 slow bodies",
                  "POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: h\r\nContent-Type: "
                  "application/pkcs10\r\nContent-Length: 60000\r\n\r\n" +
                      std::string(200, 'A'),
                  'A');
    std::string many;
    for (int i = 0; i < 200; ++i) {
      many += kCaCertsRequest;
    }
    attack_by_tls("500 that never read", many, 0, 4096);
    oversized();
    flood();
    idle();
    site_.stop();
    return std::move(rows_);
  }

 private:
  /// Connection, handshake, one request: in milliseconds, sorted.
  double probe(const std::string& name) {
    progress_ << "network: " << name << std::endl;
    std::vector<double> times;
    for (std::size_t i = 0; i < kProbes; ++i) {
      const double begin = wall_us();
      test::TlsClient client(port_, *context_);
      client.send(kCaCertsRequest);
      if (client.read_answer().status != 200) {
        throw std::runtime_error("an honest request was refused: " + name);
      }
      times.push_back((wall_us() - begin) / 1000);
      std::this_thread::sleep_for(kBetweenProbes);
    }
    std::sort(times.begin(), times.end());
    const double late = quantile(times, .99);
    rows_.push_back(
        {.bench = kBench, .name = name, .value = quantile(times, .5), .unit = "ms, p50"});
    Row row{.bench = kBench, .name = name, .value = late, .unit = "ms, p99"};
    if (baseline_ > 0) {
      row.reference = baseline_;
      row.ratio = baseline_ / late;
    }
    rows_.push_back(row);
    return late;
  }

  void attack(const std::string& name, const std::function<void(SlowAttackers&)>& begin) {
    SlowAttackers all;
    begin(all);
    static_cast<void>(probe(name));
  }

  void attack_by_tls(const std::string& name, const std::string& first, char more,
                     int receive_buffer = 0) {
    attack(name, [&](SlowAttackers& all) {
      for (std::size_t i = 0; i < scaled(500, scale_, 10); ++i) {
        test::TlsClient& client =
            all.add_tls(port_, *context_, address_of(i), more, receive_buffer);
        client.send_what_is_taken(first);
      }
    });
  }

  void busy_attack(const std::string& name, const std::string& unit,
                   const BusyAttackers::Attempt& attempt) {
    const BusyAttackers all(attempt);
    const double begin = wall_us();
    static_cast<void>(probe(name));
    rows_.push_back({.bench = kBench,
                     .name = name,
                     .value = static_cast<double>(all.attempts()) / ((wall_us() - begin) / 1e6),
                     .unit = unit});
  }

  void flood() {
    busy_attack("a flood of handshakes", "handshakes/s beside it",
                [this](const std::string& from, const std::stop_token&) {
                  const test::TlsClient client(port_, *context_, from);
                });
  }

  /// `first`, then `more` without end, until estiad takes no more of it.
  void oversized(const std::string& name, const std::string& first, const std::string& more) {
    busy_attack(name, "cut off/s beside it",
                [this, first, more](const std::string& from, const std::stop_token& stop) {
                  test::TlsClient client(port_, *context_, from);
                  try {
                    client.send(first);
                    while (!stop.stop_requested()) {
                      client.send(more);
                    }
                  } catch (const std::runtime_error&) {
                    return;
                  }
                  throw std::runtime_error("stopped before it was cut off");
                });
  }

  void oversized() {
    const std::string post =
        "POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: h\r\n"
        "Content-Type: application/pkcs10\r\n";
    const std::string get(kCaCertsRequest.substr(0, kCaCertsRequest.size() - 2));
    const std::string line = "X-More: " + std::string(1000, 'x') + "\r\n";
    oversized("headers without end", get, line);
    oversized("one header without end", get + "X: ", std::string(kPiece, 'x'));
    oversized("bodies of 10 GB", post + "Content-Length: 10000000000\r\n\r\n",
              std::string(kPiece, 'A'));
    oversized("chunks without end", post + "Transfer-Encoding: chunked\r\n\r\n",
              "1000\r\n" + std::string(0x1000, 'A') + "\r\n");
  }

  void idle() {
    const double before = resident_mib(site_.served().process);
    const std::size_t clients = scaled(2000, scale_, 10);
    std::list<test::TlsClient> all;
    for (std::size_t i = 0; i < clients; ++i) {
      test::TlsClient& client = all.emplace_back(port_, *context_, address_of(i));
      client.send(kCaCertsRequest);
      static_cast<void>(client.read_answer());
    }
    static_cast<void>(probe("2,000 idle"));
    const double each =
        (resident_mib(site_.served().process) - before) / static_cast<double>(clients);
    constexpr double kGoal = 60;
    const double value = std::max(each * 1000, 0.001);
    rows_.push_back({.bench = kBench,
                     .name = "2,000 idle",
                     .value = value,
                     .unit = "MiB for 1,000 connections",
                     .reference = kGoal,
                     .ratio = kGoal / value,
                     .goal = 1});
  }

  const double scale_;
  std::ostream& progress_;
  crypto::SslCtxPtr context_;
  Site site_;
  std::uint16_t port_ = 0;
  double baseline_ = 0;
  std::vector<Row> rows_;
};

void allow_descriptors() {
  rlimit limit{};
  static_cast<void>(::getrlimit(RLIMIT_NOFILE, &limit));
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(kDescriptors, limit.rlim_max));
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

}  // namespace

std::vector<Row> bench_network(double scale, std::ostream& progress) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // a connection that breaks is an exception
  allow_descriptors();
  return NetworkBench(scale, progress).run();
}

}  // namespace estia::bench
