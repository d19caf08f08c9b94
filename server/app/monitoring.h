// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "crypto/base/clock.h"
#include "hsm/token.h"
#include "server/app/ops_server.h"
#include "server/app/token_server_keys.h"
#include "server/ca/model.h"
#include "server/store/store.h"

namespace estia::app {

/// What readiness and metrics look at, at the moment somebody asks. The objects outlive it.
struct Monitored {
  store::Store& store;
  hsm::Token& token;
  const TokenServerKeys& server_keys;
  const http::Server& server;
  crypto::Certificate tls_certificate;
  std::shared_ptr<const ca::Snapshot> snapshot;
  Instant now;
  bool stopping;
};

/// Configuration, TLS certificate, store, token, and whether the end has begun.
[[nodiscard]] ReadinessChecks readiness_of(const Monitored& monitored);

void collect(const Monitored& monitored, const std::string& version, ops::Metrics& metrics);

}  // namespace estia::app
