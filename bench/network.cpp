// SPDX-License-Identifier: Apache-2.0
#include "bench/network.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <list>
#include <mutex>
#include <ostream>
#include <stdexcept>
#include <thread>

#include "bench/cpu.h"
#include "bench/rates.h"
#include "bench/scale.h"
#include "bench/site.h"
#include "tests/support/tls_client.h"

namespace estia::bench {
namespace {

constexpr const char* kBench = "network";
constexpr std::size_t kProbes = 100;
constexpr std::chrono::milliseconds kBetweenProbes{20};
constexpr std::chrono::milliseconds kDribble{500};
constexpr std::size_t kPerAddress = 90;  // the default limit is 100
constexpr rlim_t kDescriptors = 8192;
const std::string kRequest = "GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n";

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

/// Connections that send a byte now and then until they go.
class Attackers final {
 public:
  Attackers() : thread_([this](const std::stop_token& stop) { dribble(stop); }) {}
  ~Attackers() {
    thread_.request_stop();
    thread_.join();
    for (const int descriptor : plain_) {
      ::close(descriptor);
    }
  }
  Attackers(const Attackers&) = delete;
  Attackers& operator=(const Attackers&) = delete;
  Attackers(Attackers&&) = delete;
  Attackers& operator=(Attackers&&) = delete;

  /// Sends `first`, then a byte of `more` at a time; nothing without `more`.
  void add_plain(int descriptor, const std::string& first, char more) {
    static_cast<void>(::send(descriptor, first.data(), first.size(), MSG_NOSIGNAL));
    const std::lock_guard lock(mutex_);
    plain_.push_back(descriptor);
    plain_byte_ = more;
  }
  test::TlsClient& add_tls(std::uint16_t port, SSL_CTX& context, const std::string& from,
                           char more = 0, int receive_buffer = 0) {
    const std::lock_guard lock(mutex_);
    tls_byte_ = more;
    return tls_.emplace_back(port, context, from, receive_buffer);
  }

 private:
  void dribble(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(kDribble);
      const std::lock_guard lock(mutex_);
      for (const int descriptor : plain_) {
        if (plain_byte_ != 0) {
          static_cast<void>(::send(descriptor, &plain_byte_, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
        }
      }
      for (test::TlsClient& client : tls_) {
        if (tls_byte_ != 0) {
          try {
            client.send(std::string(1, tls_byte_));
          } catch (const std::exception&) {
            // The server has ended it, as it should.
          }
        }
      }
    }
  }

  std::mutex mutex_;
  std::vector<int> plain_;
  std::list<test::TlsClient> tls_;
  char plain_byte_ = 0;
  char tls_byte_ = 0;
  std::jthread thread_;
};

class NetworkBench final {
 public:
  NetworkBench(double scale, std::ostream& progress)
      : scale_(scale), progress_(progress), context_(test::make_client_context({})) {}

  std::vector<Row> run() {
    site_.start(0);
    port_ = site_.port();
    add_rates(site_, scale_, progress_, rows_);
    baseline_ = probe("nobody else");
    attack("500 silent", [&](Attackers& all) {
      for (std::size_t i = 0; i < scaled(500, scale_, 10); ++i) {
        all.add_plain(test::connect_to(port_, 0, address_of(i)), "", 0);
      }
    });
    attack("500 slow handshakes", [&](Attackers& all) {
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
      many += kRequest;
    }
    attack_by_tls("500 that never read", many, 0, 4096);
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
      client.send(kRequest);
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

  void attack(const std::string& name, const std::function<void(Attackers&)>& begin) {
    Attackers all;
    begin(all);
    static_cast<void>(probe(name));
  }

  void attack_by_tls(const std::string& name, const std::string& first, char more,
                     int receive_buffer = 0) {
    attack(name, [&](Attackers& all) {
      for (std::size_t i = 0; i < scaled(500, scale_, 10); ++i) {
        test::TlsClient& client =
            all.add_tls(port_, *context_, address_of(i), more, receive_buffer);
        client.send_what_is_taken(first);
      }
    });
  }

  /// Handshakes as fast as four clients can, each on a new connection.
  void flood() {
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> count{0};
    std::vector<std::jthread> clients;
    const double begin = wall_us();
    for (std::size_t i = 0; i < 4; ++i) {
      clients.emplace_back([&, i] {
        while (!done) {
          try {
            const test::TlsClient client(port_, *context_, "127.0.2." + std::to_string(i + 1));
            ++count;
          } catch (const std::exception&) {
          }
        }
      });
    }
    static_cast<void>(probe("a flood of handshakes"));
    done = true;
    clients.clear();
    rows_.push_back({.bench = kBench,
                     .name = "a flood of handshakes",
                     .value = static_cast<double>(count) / ((wall_us() - begin) / 1e6),
                     .unit = "handshakes/s beside it"});
  }

  void idle() {
    const double before = resident_mib(site_.served().process);
    const std::size_t clients = scaled(2000, scale_, 10);
    std::list<test::TlsClient> all;
    for (std::size_t i = 0; i < clients; ++i) {
      test::TlsClient& client = all.emplace_back(port_, *context_, address_of(i));
      client.send(kRequest);
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
  ::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): a connection that breaks is an exception
  allow_descriptors();
  return NetworkBench(scale, progress).run();
}

}  // namespace estia::bench
