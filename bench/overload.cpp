// SPDX-License-Identifier: Apache-2.0
#include "bench/overload.h"

#include <array>
#include <atomic>
#include <chrono>
#include <ostream>
#include <thread>

#include "bench/cpu.h"
#include "bench/ratio.h"
#include "bench/scale.h"
#include "server/http/server.h"
#include "tests/support/tls_client.h"

namespace estia::bench {
namespace {

constexpr const char* kBench = "network";
constexpr const char* kPeak = "unloaded peak";
constexpr const char* kOverload = "8x overload";
constexpr std::size_t kTimes = 8;
constexpr std::size_t kRounds = 5;
constexpr std::array<std::size_t, 4> kFew{2, 4, 8, 16};
constexpr double kGoal = .95;
constexpr std::size_t kWindowMillis = 3000;
constexpr std::chrono::milliseconds kPause{10};  // of a client that was cut off

/// One address for each: one alone has not so many ports in the minute that TCP keeps them.
std::string address_of(std::size_t client) {
  constexpr std::size_t kOfNetwork = 250;
  return "127.0." + std::to_string(3 + client / kOfNetwork) + "." +
         std::to_string(1 + client % kOfNetwork);
}

/// What came of one-shot requests in some seconds.
struct Work {
  double seconds = 0;
  double server_cpu_s = 0;
  double accepted = 0;  ///< answered with 200
  double busy = 0;      ///< with 503
  double failed = 0;    ///< with something else, or not at all
};

/// Clients that each want a new connection and an answer, again and again.
class Crowd final {
 public:
  Crowd(const Served& server, std::size_t clients)
      : server_(server), context_(test::make_client_context({})) {
    for (std::size_t i = 0; i < clients; ++i) {
      threads_.emplace_back([this, i](const std::stop_token& stop) { run(address_of(i), stop); });
    }
  }

  ~Crowd() {
    for (std::jthread& thread : threads_) {
      thread.request_stop();  // all of them before the first one is waited for
    }
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  Crowd(Crowd&&) = delete;
  Crowd& operator=(Crowd&&) = delete;

  /// All of them have been at work for the time of a window when the clock starts: as much is under
  /// way at its begin as at its end.
  [[nodiscard]] Work work(std::chrono::milliseconds window) {
    std::this_thread::sleep_for(window);
    const Work before = now();
    std::this_thread::sleep_for(window);
    const Work after = now();
    return {.seconds = after.seconds - before.seconds,
            .server_cpu_s = after.server_cpu_s - before.server_cpu_s,
            .accepted = after.accepted - before.accepted,
            .busy = after.busy - before.busy,
            .failed = after.failed - before.failed};
  }

 private:
  void run(const std::string& from, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      try {
        test::TlsClient client(server_.port, *context_, from);
        client.send(kCaCertsRequest);
        const int status = client.read_answer().status;
        client.end();
        ++(status == 200 ? accepted_ : status == 503 ? busy_ : failed_);
      } catch (const std::exception&) {
        ++failed_;
        std::this_thread::sleep_for(kPause);
      }
    }
  }

  [[nodiscard]] Work now() const {
    return {.seconds = wall_us() / 1e6,
            .server_cpu_s = process_cpu_us(server_.process) / 1e6,
            .accepted = static_cast<double>(accepted_),
            .busy = static_cast<double>(busy_),
            .failed = static_cast<double>(failed_)};
  }

  const Served server_;
  const crypto::SslCtxPtr context_;
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> busy_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::vector<std::jthread> threads_;  // last: they use what is above
};

/// Rounds at one load.
struct Rounds {
  std::vector<double> per_second;
  std::vector<double> per_cpu_second;
  std::vector<double> busy;
  std::vector<double> failed;

  void add(const Work& work) {
    per_second.push_back(work.accepted / work.seconds);
    per_cpu_second.push_back(work.accepted / work.server_cpu_s);
    busy.push_back(work.busy / work.seconds);
    failed.push_back(work.failed / work.seconds);
  }
};

void add_rows(const Rounds& peak, const Rounds& overload, std::vector<Row>& rows) {
  const auto plain = [&](const char* name, double value, const char* unit) {
    rows.push_back({.bench = kBench, .name = name, .value = value, .unit = unit});
  };
  const auto beside = [&](const std::vector<double>& high, const std::vector<double>& low,
                          const char* unit, std::optional<double> goal) {
    // A rate is the better the higher it is: the ratio stands the other way round.
    rows.push_back({.bench = kBench,
                    .name = kOverload,
                    .value = median(high),
                    .unit = unit,
                    .reference = median(low),
                    .ratio = ratio_of_rounds({low, high}).value,
                    .goal = goal});
  };
  plain(kPeak, median(peak.per_second), "accepted/s");
  beside(overload.per_cpu_second, peak.per_cpu_second, "accepted/CPU second", kGoal);
  beside(overload.per_second, peak.per_second, "accepted/s", std::nullopt);
  plain(kOverload, mean(overload.busy), "503/s");
  plain(kOverload, mean(overload.failed), "failed/s");
}

}  // namespace

void add_overload(const Served& server, double scale, std::ostream& progress,
                  std::vector<Row>& rows) {
  const std::chrono::milliseconds window(scaled(kWindowMillis, scale, 100));
  std::size_t few = 0;
  double most = 0;
  for (const std::size_t clients : kFew) {
    progress << "network: " << kPeak << ", " << clients << " clients" << std::endl;
    const Work work = Crowd(server, clients).work(window);
    if (work.accepted / work.seconds >= most) {
      most = work.accepted / work.seconds;
      few = clients;
    }
  }
  const std::size_t workers = http::Limits().workers;
  const std::size_t many = scaled(kTimes * workers, scale, kTimes * kFew.front());
  Rounds peak;
  Rounds overload;
  for (std::size_t i = 0; i < scaled(kRounds, scale, 3); ++i) {
    progress << "network: " << kOverload << ", " << many << " clients, and " << few << std::endl;
    peak.add(Crowd(server, few).work(window));
    overload.add(Crowd(server, many).work(window));
  }
  rows.push_back(
      {.bench = kBench, .name = kPeak, .value = static_cast<double>(few), .unit = "clients"});
  add_rows(peak, overload, rows);
}

}  // namespace estia::bench
