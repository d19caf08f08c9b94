// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/clock.h"
#include "hsm/server_keys.h"
#include "hsm/token.h"
#include "server/app/ops_server.h"
#include "server/ca/model.h"
#include "server/store/store.h"

namespace estia::app {

/// One look at the token at a time, however many ask, by a thread of its own: the rest are told
/// what was seen last, and if that is long ago, that the token does not answer. Any thread.
class TokenProbe final {
 public:
  explicit TokenProbe(std::shared_ptr<hsm::Token> token)
      : shared_(std::make_shared<Shared>(std::move(token))) {}
  /// Waits for a second at most. nullopt: a look has not come back for seconds, or since
  /// look_anew().
  [[nodiscard]] std::optional<hsm::TokenStatus> look();
  /// From now on nothing is told that a look saw which began before.
  void look_anew();
  /// Whether no look is out.
  [[nodiscard]] bool idle() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Shared {
    explicit Shared(std::shared_ptr<hsm::Token> of) noexcept : token(std::move(of)) {}
    const std::shared_ptr<hsm::Token> token;
    std::mutex mutex;  ///< guards what follows, for a moment
    std::condition_variable back;
    bool looking = false;
    bool stale = false;           ///< the look that is out began before look_anew()
    std::uint64_t discarded = 0;  ///< looks for that
    Clock::time_point began{};    ///< the last look
    std::optional<hsm::TokenStatus> last{};
    Clock::time_point seen{};
  };
  static void look_once(Shared& shared) noexcept;

  const std::shared_ptr<Shared> shared_;  ///< also of a look that does not come back
};

struct SeenToken {
  std::string name;
  std::optional<hsm::TokenStatus> status;  ///< TokenProbe::look
  hsm::TokenStatistics::Counts statistics;
  std::vector<hsm::KeyReport> keys;
};

/// What readiness and metrics are made of: as it was when somebody asked.
struct Monitored {
  store::StoreStats store;
  std::vector<SeenToken> tokens;
  hsm::ServerKeysStatus server_keys;
  http::Server::Load load;
  crypto::Certificate tls_certificate;
  std::shared_ptr<const ca::Snapshot> snapshot;
  Instant now;
  bool stopping;
};

/// Configuration, TLS certificate, store, tokens, and whether the end has begun. As long as one of
/// several tokens can be used, so can this node: another node may be no better off. Unless no key
/// of a CA that is served can be used, or the listener's, where it is in a token.
[[nodiscard]] ReadinessChecks readiness_of(const Monitored& monitored);

void collect(const Monitored& monitored, const std::string& version, ops::Metrics& metrics);

}  // namespace estia::app
