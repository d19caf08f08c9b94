// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
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

  /// For TokenConfig::on_event of the token with that name. A call that does not come back may keep
  /// it for longer than this object lives: then it does nothing.
  [[nodiscard]] std::function<void(const hsm::TokenEvent&)> listener(const std::string& token);

 private:
  struct Entry {
    Instant at;
    std::string token;
    hsm::TokenEvent event;
  };
  struct Queue {
    explicit Queue(const Clock& of) noexcept : clock(of) {}
    void add(const std::string& token, const hsm::TokenEvent& event);
    const Clock& clock;  ///< not once stopped
    std::mutex mutex;    ///< guards what follows
    std::condition_variable changed;
    std::deque<Entry> entries;
    std::size_t left_out = 0;  ///< not in entries, and not yet said
    bool stopped = false;
  };
  void run();
  void write(const Entry& entry) noexcept;

  ca::AuditLog& audit_;
  const std::shared_ptr<Queue> queue_;
  std::thread thread_;  ///< last
};

}  // namespace estia::app
