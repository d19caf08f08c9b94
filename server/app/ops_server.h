// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "server/app/process_config.h"
#include "server/http/server.h"
#include "server/ops/metrics.h"

namespace estia::app {

/// What readiness rests on; each is true or says what is wrong.
using ReadinessChecks = std::vector<std::pair<std::string, std::string>>;

/// Health, readiness and metrics in plain HTTP, for who watches this process: `GET /healthz` (200
/// while it answers at all), `GET /readyz` (200, or 503 and what is wrong), `GET /metrics`
/// (Prometheus). Start and stop from one thread.
class OpsServer final {
 public:
  /// `checks`: name and reason, an empty reason for what is well. `collect` sets what is looked at
  /// when somebody asks. All outlive this object; any thread calls them.
  OpsServer(const ProcessConfig::OpsListener& listener, ops::Metrics& metrics,
            std::function<void(ops::Metrics&)> collect, std::function<ReadinessChecks()> checks);

  /// Throws what http::Server::start throws.
  void start() { server_.start(); }
  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] bool drain(std::chrono::milliseconds limit) { return server_.drain(limit); }

 private:
  http::Server server_;
};

/// Counts for `metrics`, which outlives it, what a listener does.
[[nodiscard]] std::shared_ptr<http::Observer> counting(ops::Metrics& metrics);

}  // namespace estia::app
