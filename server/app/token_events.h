// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "crypto/base/clock.h"
#include "hsm/token.h"
#include "server/ca/audit.h"

namespace estia::app {

/// Writes what becomes of the tokens into log and audit trail, by a thread of its own: whoever
/// recovers a token must not wait for the store. Any thread.
class TokenEvents final {
 public:
  /// Both outlive this object.
  TokenEvents(ca::AuditLog& audit, const Clock& clock);
  /// Writes what is left.
  ~TokenEvents();
  TokenEvents(const TokenEvents&) = delete;
  TokenEvents& operator=(const TokenEvents&) = delete;
  TokenEvents(TokenEvents&&) = delete;
  TokenEvents& operator=(TokenEvents&&) = delete;

  /// Writes what is left, and nothing from then on. Not from two threads.
  void finish();

  /// For TokenConfig::on_event of the token with that name.
  void add(const std::string& token, const hsm::TokenEvent& event);

 private:
  struct Entry {
    Instant at;
    std::string token;
    hsm::TokenEvent event;
  };
  void run();
  void write(const Entry& entry) noexcept;

  ca::AuditLog& audit_;
  const Clock& clock_;
  std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  std::deque<Entry> entries_;
  std::size_t left_out_ = 0;  ///< not in entries_, and not yet said
  bool stop_ = false;
  std::thread thread_;  ///< last
};

}  // namespace estia::app
