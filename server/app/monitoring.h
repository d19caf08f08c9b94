// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "hsm/server_keys.h"
#include "hsm/token.h"
#include "server/app/ops_server.h"
#include "server/ca/model.h"
#include "server/store/store.h"

namespace estia::app {

/// One look at the token at a time, however many ask: the rest are told what was seen last, and if
/// that is long ago, that the token does not answer. Any thread.
class TokenProbe final {
 public:
  /// The token outlives it.
  explicit TokenProbe(hsm::Token& token) noexcept : token_(token) {}
  /// nullopt: a look has not come back for seconds.
  [[nodiscard]] std::optional<hsm::TokenStatus> look();

 private:
  hsm::Token& token_;
  std::mutex looking_;
  std::mutex mutex_;  ///< guards what follows, for a moment
  std::optional<hsm::TokenStatus> last_{};
  std::chrono::steady_clock::time_point seen_{};
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
/// several tokens can be used, so can this node: another node may be no better off.
[[nodiscard]] ReadinessChecks readiness_of(const Monitored& monitored);

void collect(const Monitored& monitored, const std::string& version, ops::Metrics& metrics);

}  // namespace estia::app
