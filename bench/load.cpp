// SPDX-License-Identifier: Apache-2.0
#include "bench/load.h"

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "bench/cpu.h"
#include "tests/support/tls_client.h"

namespace estia::bench {
namespace {

/// An RSA key takes its time where others compile.
void be_patient(const test::TlsClient& connection) {
  constexpr timeval kLimit{300, 0};
  const int descriptor = ::SSL_get_fd(connection.ssl());
  if (::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &kLimit, sizeof kLimit) != 0) {
    throw std::runtime_error("setsockopt failed");
  }
}

void exchange(test::TlsClient& connection, const std::string& request) {
  if (request.empty()) {
    return;
  }
  connection.send(request);
  const test::HttpAnswer answer = connection.read_answer();
  if (answer.status != 200) {
    throw std::runtime_error("a request was answered with " + std::to_string(answer.status) + ": " +
                             answer.body);
  }
}

class Load final {
 public:
  Load(const std::vector<Client>& clients, Connections connections, const Served& server)
      : clients_(clients),
        connections_(connections),
        server_(server),
        ready_(static_cast<std::ptrdiff_t>(clients.size())) {}

  [[nodiscard]] LoadResult run() {
    std::vector<std::thread> threads;
    for (const Client& client : clients_) {
      threads.emplace_back([this, &client] { run_client(client); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    if (!failure_.empty()) {
      throw std::runtime_error(failure_);
    }
    return result();
  }

 private:
  struct Moment {
    double wall = 0;
    double server_cpu = 0;
    double client_cpu = 0;
  };

  [[nodiscard]] Moment now() const {
    const double server = server_.apart == 0 ? process_cpu_us(server_.process)
                                             : process_cpu_us(server_.process, server_.apart);
    return {wall_us(), server, process_cpu_us()};
  }

  void run_client(const Client& client) {
    std::unique_ptr<test::TlsClient> kept;
    try {
      if (connections_ == Connections::kept) {
        kept = std::make_unique<test::TlsClient>(server_.port, *client.context);
        be_patient(*kept);
      }
    } catch (const std::exception& error) {
      fail(error);
    }
    ready_.arrive_and_wait();
    std::call_once(started_, [this] { begin_ = now(); });
    try {
      if (kept || connections_ == Connections::new_each) {
        send_all(client, kept.get());
      }
    } catch (const std::exception& error) {
      fail(error);
    }
    finish_first();
  }

  void send_all(const Client& client, test::TlsClient* kept) {
    for (const std::string& request : client.requests) {
      const double before = wall_us();
      if (connections_ == Connections::kept) {
        exchange(*kept, request);
      } else {
        test::TlsClient connection(server_.port, *client.context);
        be_patient(connection);
        exchange(connection, request);
        connection.end();
      }
      if (!note(wall_us() - before)) {
        return;
      }
    }
  }

  /// False when the clock has stopped, or a client has failed.
  bool note(double latency_us) {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      latencies_.push_back(latency_us / 1e3);
    }
    return !ended_;
  }

  void finish_first() {
    const std::lock_guard lock(mutex_);
    if (!ended_ && failure_.empty()) {
      end_ = now();
    }
    ended_ = true;
  }

  void fail(const std::exception& error) {
    const std::lock_guard lock(mutex_);
    failure_ = error.what();
    ended_ = true;
  }

  [[nodiscard]] LoadResult result() {
    LoadResult result;
    result.enrolments = static_cast<double>(latencies_.size());
    result.seconds = (end_.wall - begin_.wall) / 1e6;
    result.server_cpu_us = (end_.server_cpu - begin_.server_cpu) / result.enrolments;
    result.client_cpu_us = (end_.client_cpu - begin_.client_cpu) / result.enrolments;
    std::sort(latencies_.begin(), latencies_.end());
    result.latencies = std::move(latencies_);
    return result;
  }

  const std::vector<Client>& clients_;
  const Connections connections_;
  const Served server_;
  std::latch ready_;
  std::once_flag started_;
  Moment begin_;
  std::mutex mutex_;  // guards everything below
  Moment end_;
  bool ended_ = false;
  std::string failure_;
  std::vector<double> latencies_;
};

}  // namespace

LoadResult run_load(const std::vector<Client>& clients, Connections connections,
                    const Served& server) {
  return Load(clients, connections, server).run();
}

}  // namespace estia::bench
