// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/openssl/owned.h"

namespace estia::bench {

/// What one client sends, one request after the other; each must be answered with 200. Of an empty
/// one nothing is sent: its connection is all.
struct Client {
  SSL_CTX* context = nullptr;  ///< borrowed
  std::vector<std::string> requests;
};

/// The request that costs a server the least: what is left is the server.
inline constexpr std::string_view kCaCertsRequest =
    "GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n";

enum class Connections {
  kept,      ///< one per client, opened before the clock starts
  new_each,  ///< one per request; its opening belongs to the request
};

/// What happened until the first client had no request left: until then all of them were at work.
struct LoadResult {
  double enrolments = 0;
  double seconds = 0;
  double server_cpu_us = 0;       ///< for one enrolment
  double client_cpu_us = 0;       ///< for one enrolment; the clients are threads of this process
  std::vector<double> latencies;  ///< milliseconds, sorted
};

/// Whom a load goes to, at the loopback interface, and whose CPU is counted.
struct Served {
  std::uint16_t port = 0;
  pid_t process = 0;
  pid_t apart = 0;  ///< a thread of it that is not counted; 0: all are
};

/// Runs each client in a thread of its own. Throws std::runtime_error when a request is not
/// answered with 200, in five minutes at most.
[[nodiscard]] LoadResult run_load(const std::vector<Client>& clients, Connections connections,
                                  const Served& server);

}  // namespace estia::bench
