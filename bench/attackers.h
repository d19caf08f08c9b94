// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/tls_client.h"

namespace estia::bench {

/// Connections that send a byte now and then until they go.
class SlowAttackers final {
 public:
  SlowAttackers() : thread_([this](const std::stop_token& stop) { dribble(stop); }) {}
  ~SlowAttackers();
  SlowAttackers(const SlowAttackers&) = delete;
  SlowAttackers& operator=(const SlowAttackers&) = delete;
  SlowAttackers(SlowAttackers&&) = delete;
  SlowAttackers& operator=(SlowAttackers&&) = delete;

  /// Sends `first`, then a byte of `more` at a time; nothing without `more`.
  void add_plain(int descriptor, const std::string& first, char more);
  test::TlsClient& add_tls(std::uint16_t port, SSL_CTX& context, const std::string& from,
                           char more = 0, int receive_buffer = 0);

 private:
  void dribble(const std::stop_token& stop);

  std::mutex mutex_;
  std::vector<int> plain_;
  std::list<test::TlsClient> tls_;
  char plain_byte_ = 0;
  char tls_byte_ = 0;
  std::jthread thread_;
};

/// Four clients that do the same again and again as fast as they can, each on a new connection.
class BusyAttackers final {
 public:
  /// One attempt: from an address of the loopback network, until it is done or asked to stop.
  /// One that throws is not counted.
  using Attempt = std::function<void(const std::string& from, const std::stop_token& stop)>;

  explicit BusyAttackers(Attempt attempt);
  ~BusyAttackers();
  BusyAttackers(const BusyAttackers&) = delete;
  BusyAttackers& operator=(const BusyAttackers&) = delete;
  BusyAttackers(BusyAttackers&&) = delete;
  BusyAttackers& operator=(BusyAttackers&&) = delete;

  /// How many so far.
  [[nodiscard]] std::uint64_t attempts() const noexcept { return attempts_; }

 private:
  const Attempt attempt_;
  std::atomic<std::uint64_t> attempts_{0};
  std::vector<std::jthread> threads_;  // last: they use what is above
};

}  // namespace estia::bench
