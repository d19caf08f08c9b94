// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "crypto/base/bytes.h"
#include "server/ca/model.h"

namespace estia::auth {

/// Verifies passwords so that neither time nor load tells or does more than it should (D16).
///
/// A password that a person chose costs a tenth of a second of scrypt, on one thread of its own
/// with a short queue: guessing can neither go faster than that nor take the server's other
/// threads. One that was right is remembered as a MAC under a key of this process, so that an
/// account in steady use does not wait. Any thread.
class PasswordCheck final {
 public:
  struct Limits {
    std::size_t queue = 32;  ///< checks that may wait; more are refused
  };

  PasswordCheck() : PasswordCheck(Limits{}) {}
  explicit PasswordCheck(Limits limits);
  ~PasswordCheck();
  PasswordCheck(const PasswordCheck&) = delete;
  PasswordCheck& operator=(const PasswordCheck&) = delete;
  PasswordCheck(PasswordCheck&&) = delete;
  PasswordCheck& operator=(PasswordCheck&&) = delete;

  /// Whether an alias has an account with a chosen password: then every failure on it costs what a
  /// wrong one of those costs, whatever was wrong.
  enum class Cost { cheap, costly };
  [[nodiscard]] static Cost cost_of(const ca::Snapshot& snapshot, const ca::Alias& alias);

  /// `account` is null for an unknown user, who is refused at the same cost. Throws Error{too_many,
  /// "auth.password_queue"}.
  [[nodiscard]] bool matches(const ca::Account* account, std::string_view password, Cost cost);

  /// How often scrypt ran; for tests of the cost, which count instead of measuring.
  [[nodiscard]] std::uint64_t slow_checks() const;

 private:
  [[nodiscard]] bool check_slowly(const ca::PasswordHash& stored, std::string_view password);
  [[nodiscard]] Bytes mac_of(const ca::Account& account, std::string_view password) const;
  void serve();

  const Limits limits_;
  const Bytes key_;           // of the MACs
  mutable std::mutex mutex_;  // guards the four below
  std::condition_variable arrived_;
  std::map<std::string, Bytes> remembered_;  // by alias/user; only accounts that exist get in
  std::deque<std::packaged_task<bool()>> queue_;
  std::uint64_t slow_checks_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace estia::auth
