// SPDX-License-Identifier: Apache-2.0
#include "server/app/ops_server.h"

#include <map>
#include <utility>

#include "crypto/base/error.h"

namespace estia::app {
namespace {

http::Response text(int status, std::string body, const char* type = "text/plain; charset=utf-8") {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", type);
  response.headers.add("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

http::Response readiness(const ReadinessChecks& checks) {
  std::string body;
  bool ready = true;
  for (const auto& [name, reason] : checks) {
    body.append(name).append(reason.empty() ? " ok" : " ").append(reason).append("\n");
    ready = ready && reason.empty();
  }
  return text(ready ? 200 : 503, (ready ? "ready\n" : "not ready\n") + body);
}

class OpsRouter final : public http::Router {
 public:
  OpsRouter(ops::Metrics& metrics, std::function<void(ops::Metrics&)> collect,
            std::function<ReadinessChecks()> checks)
      : pages_{{"healthz", [](const http::Request&) { return text(200, "alive\n"); }},
               {"readyz",
                [checks = std::move(checks)](const http::Request&) { return readiness(checks()); }},
               {"metrics", [&metrics, collect = std::move(collect)](const http::Request&) {
                  collect(metrics);
                  return text(200, metrics.text(), "text/plain; version=0.0.4; charset=utf-8");
                }}} {}

  [[nodiscard]] http::RouteMatch match(std::string_view method,
                                       const std::vector<std::string>& segments,
                                       const http::PeerInfo& /*peer*/) const override {
    const auto page = pages_.find(segments.size() == 1 ? segments.front() : "");
    if (page == pages_.end()) {
      throw Error(ErrorCode::not_found, "ops.unknown", "there is no such page");
    }
    if (method != "GET" && method != "HEAD") {
      return {.handler = [](const http::Request&) {
        http::Response response = text(405, "this method is not allowed here\n");
        response.headers.add("Allow", "GET, HEAD");
        return response;
      }};
    }
    return {.handler = page->second};
  }

 private:
  const std::map<std::string, std::function<http::Response(const http::Request&)>> pages_;
};

/// Few ask, and none of them sends a body.
http::Limits limits() {
  http::Limits limits;
  limits.connections = 64;
  limits.per_address = 16;
  limits.workers = 2;
  return limits;
}

class Counting final : public http::Observer {
 public:
  explicit Counting(ops::Metrics& metrics) noexcept : metrics_(metrics) {}
  void answered(std::string_view route, int status, std::string_view refusal,
                std::chrono::steady_clock::duration time) noexcept override {
    metrics_.answered(route, status, refusal, time);
  }
  void handshake(bool succeeded) noexcept override { metrics_.handshake(succeeded); }
  void turned_away(http::TurnedAway why) noexcept override { metrics_.turned_away(to_string(why)); }

 private:
  ops::Metrics& metrics_;
};

}  // namespace

OpsServer::OpsServer(const ProcessConfig::OpsListener& listener, ops::Metrics& metrics,
                     std::function<void(ops::Metrics&)> collect,
                     std::function<ReadinessChecks()> checks)
    : server_(
          http::PlainServerConfig{.host = listener.host, .port = listener.port, .limits = limits()},
          std::make_shared<OpsRouter>(metrics, std::move(collect), std::move(checks))) {}

std::shared_ptr<http::Observer> counting(ops::Metrics& metrics) {
  return std::make_shared<Counting>(metrics);
}

}  // namespace estia::app
