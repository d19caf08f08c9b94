// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "crypto/x509/certificate.h"
#include "tests/support/tls_client.h"

namespace estia::fault {

/// A whole answer with a certificate, as a client has it.
struct Delivered {
  std::string name;  ///< the common name asked for
  int life = 0;      ///< which of the server's lives answered
  std::chrono::steady_clock::time_point at;
  std::string body;

  /// The one certificate in it. Throws std::runtime_error when there is none, or more than one.
  [[nodiscard]] crypto::Certificate certificate() const;
};

struct Refused {
  std::string name;
  int status = 0;
  std::string retry_after;
};

/// What the clients saw, in the order they saw it. Any thread.
class LoadLog final {
 public:
  void sending(const std::string& name);
  /// The answer to that request: 200 or a refusal.
  void answered(const std::string& name, int life, const test::HttpAnswer& answer);
  /// The connection ended before a whole answer was there.
  void lost(const std::string& name);

  /// Returns once `count` certificates of that life are here. Throws std::runtime_error when that
  /// takes longer than half a minute.
  void wait_delivered(int life, std::size_t count);
  /// Whether `count` refusals, of all lives, came within that time.
  [[nodiscard]] bool wait_refused(std::size_t count, std::chrono::seconds limit);

  /// Requests that were sent and have neither an answer nor a broken connection.
  [[nodiscard]] std::size_t in_flight() const;
  [[nodiscard]] std::vector<Delivered> delivered() const;
  /// Those of that life and later ones.
  [[nodiscard]] std::vector<Delivered> delivered_since(int life) const;
  [[nodiscard]] std::vector<Refused> refused() const;
  [[nodiscard]] std::set<std::string> sent() const;  ///< names
  [[nodiscard]] std::size_t lost_connections() const;

 private:
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::set<std::string> sent_;
  std::vector<Delivered> delivered_;
  std::map<int, std::size_t> delivered_in_life_;
  std::vector<Refused> refused_;
  std::size_t in_flight_ = 0;
  std::size_t lost_ = 0;
};

}  // namespace estia::fault
