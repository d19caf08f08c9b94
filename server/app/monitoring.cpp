// SPDX-License-Identifier: Apache-2.0
#include "server/app/monitoring.h"

namespace estia::app {
namespace {

double number(auto value) {
  return static_cast<double>(value);
}

double seconds(Instant when) {
  return number(std::chrono::duration_cast<std::chrono::seconds>(when.time_since_epoch()).count());
}

void collect_store(const Monitored& monitored, ops::Metrics& metrics) {
  const store::StoreStats& stats = monitored.store;
  metrics.set_total("estia_store_commits_total", "Batches of writes on disk, one sync each",
                    number(stats.commits));
  metrics.set_total("estia_store_writes_total", "Writes in them", number(stats.jobs));
  metrics.set_total("estia_store_failures_total", "Batches that were lost", number(stats.failures));
  metrics.set("estia_store_queued", "Writes that wait now", number(stats.queued));
}

void collect_token(const Monitored& monitored, ops::Metrics& metrics) {
  const hsm::TokenStatus status = monitored.token.value_or(hsm::TokenStatus());
  metrics.set("estia_token_present", "Whether the slot holds our token", status.present ? 1 : 0);
  metrics.set("estia_token_sessions_open", "Sessions of the pool", number(status.sessions_open));
  metrics.set("estia_token_sessions_in_use", "Sessions that are lent now",
              number(status.sessions_in_use));
  for (const auto& [rung, count] :
       {std::pair{"new session", status.new_sessions}, std::pair{"new login", status.logins},
        std::pair{"restart module", status.restarts}}) {
    metrics.set_total("estia_token_recoveries_total",
                      "Rungs that were climbed; the first login is one of them", number(count),
                      {{"rung", rung}});
  }
  const hsm::ServerKeysStatus& keys = monitored.server_keys;
  metrics.set_total("estia_serverkeygen_delivered_total", "Keys brought out of the token",
                    number(keys.delivered));
  metrics.set_total("estia_serverkeygen_destroyed_total", "Key pairs made in vain",
                    number(keys.destroyed));
  metrics.set("estia_serverkeygen_running", "Keys that are being made", number(keys.running));
  for (const auto& [kind, ready] : keys.stock) {
    metrics.set("estia_serverkeygen_stock", "Key pairs ready in the token", number(ready),
                {{"kind", kind}});
  }
}

std::string token_trouble(const std::optional<hsm::TokenStatus>& token) {
  if (!token) {
    return "does not answer";
  }
  switch (token->state) {
    case hsm::TokenState::recovering:
      return "being recovered";
    case hsm::TokenState::pin_refused:
      return "the PIN was refused";
    case hsm::TokenState::away:
      return "away";
    case hsm::TokenState::attached:
      break;
  }
  return !token->present ? "gone" : !token->logged_in ? "not logged in" : "";
}

}  // namespace

std::optional<hsm::TokenStatus> TokenProbe::look() {
  constexpr std::chrono::seconds kRecent{2};
  const std::unique_lock looking(looking_, std::try_to_lock);
  std::optional<hsm::TokenStatus> seen;
  if (looking.owns_lock()) {
    seen = token_.probe();
  }
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  if (seen) {
    last_ = std::move(seen);
    seen_ = now;
  }
  return now - seen_ < kRecent ? last_ : std::nullopt;
}

ReadinessChecks readiness_of(const Monitored& monitored) {
  const auto& token = monitored.token;
  const bool expired = monitored.now > monitored.tls_certificate.not_after();
  return {{"configuration", monitored.snapshot->aliases.empty() ? "no alias" : ""},
          {"tls", expired ? "the certificate has expired" : ""},
          {"listener", monitored.load.stalled ? "no worker is free" : ""},
          {"store", monitored.store.failed ? "failed, restart needed" : ""},
          {"token", token_trouble(token)},
          {"stop", monitored.stopping ? "stopping" : ""}};
}

void collect(const Monitored& monitored, const std::string& version, ops::Metrics& metrics) {
  metrics.set("estia_build_info", "The program", 1, {{"version", version}});
  bool ready = true;
  for (const auto& check : readiness_of(monitored)) {
    ready = ready && check.second.empty();
  }
  metrics.set("estia_ready", "What /readyz says", ready ? 1 : 0);
  metrics.set("estia_configuration_version", "The configuration in force",
              number(monitored.snapshot->version));
  const http::Server::Load& load = monitored.load;
  metrics.set("estia_connections", "Open connections of EST clients", number(load.connections));
  metrics.set("estia_connections_waiting", "Of them, those that could go on and wait for a worker",
              number(load.waiting));
  metrics.set("estia_buffered_bytes", "Kept of their requests and answers",
              number(load.buffered_bytes));
  metrics.set("estia_tls_certificate_not_after_seconds", "Its end, in seconds since 1970",
              seconds(monitored.tls_certificate.not_after()));
  for (const auto& [name, ca] : monitored.snapshot->cas) {
    metrics.set("estia_ca_certificate_not_after_seconds", "Its end, in seconds since 1970",
                seconds(ca.certificate().not_after()), {{"ca", name}});
  }
  collect_store(monitored, metrics);
  collect_token(monitored, metrics);
}

}  // namespace estia::app
