// SPDX-License-Identifier: Apache-2.0
#include "server/app/monitoring.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "server/app/own_thread.h"

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

void collect_calls(const SeenToken& token, ops::Metrics& metrics) {
  const hsm::TokenStatistics::Counts& counts = token.statistics;
  const ops::Metrics::Labels label{{"token", token.name}};
  metrics.set_total("estia_token_session_waits_total", "Calls that found no session free",
                    number(counts.waits), label);
  metrics.set_total("estia_token_session_timeouts_total", "Of them, those that got none in time",
                    number(counts.timeouts), label);
  metrics.set_total("estia_token_session_wait_seconds_total", "How long they waited",
                    counts.wait_seconds, label);
  metrics.set_histogram(
      "estia_token_sign_seconds", "C_SignInit and C_Sign that gave a signature",
      {hsm::TokenStatistics::kBounds.begin(), hsm::TokenStatistics::kBounds.end()},
      {counts.signatures.begin(), counts.signatures.end()}, counts.sign_seconds, label);
  for (const auto& [code, count] : counts.errors) {
    metrics.set_total("estia_token_errors_total", "Calls that failed, by what the module answered",
                      number(count), {{"token", token.name}, {"code", code}});
  }
}

void collect_token(const SeenToken& token, ops::Metrics& metrics) {
  const hsm::TokenStatus status = token.status.value_or(hsm::TokenStatus());
  const ops::Metrics::Labels label{{"token", token.name}};
  metrics.set("estia_token_present",
              "Whether the slot holds our token, now or when its PIN was refused or awaited",
              status.present ? 1 : 0, label);
  metrics.set("estia_token_attached", "Whether it can be used",
              status.state == hsm::TokenState::attached ? 1 : 0, label);
  metrics.set("estia_token_sessions_open", "Sessions of the pool", number(status.sessions_open),
              label);
  metrics.set("estia_token_sessions_in_use", "Sessions that are lent now",
              number(status.sessions_in_use), label);
  metrics.set("estia_token_sessions_most", "Sessions that may be open", number(status.sessions_cap),
              label);
  for (const auto& [rung, count] :
       {std::pair{"new session", status.new_sessions}, std::pair{"new login", status.logins},
        std::pair{"restart module", status.restarts}}) {
    metrics.set_total("estia_token_recoveries_total",
                      "Rungs that were climbed; the first login is one of them", number(count),
                      {{"token", token.name}, {"rung", rung}});
  }
  std::size_t ready = 0;
  for (const hsm::KeyReport& key : token.keys) {
    ready += key.ready ? 1 : 0;
  }
  metrics.set("estia_token_keys", "Keys in use", number(token.keys.size()), label);
  metrics.set("estia_token_keys_ready", "Of them, those that were found since the last login",
              number(ready), label);
  collect_calls(token, metrics);
}

void collect_server_keys(const hsm::ServerKeysStatus& keys, ops::Metrics& metrics) {
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
    case hsm::TokenState::pin_awaited:
      return "the PIN is awaited";
    case hsm::TokenState::away:
      return "away";
    case hsm::TokenState::attached:
      break;
  }
  return !token->present ? "gone" : !token->logged_in ? "not logged in" : "";
}

/// Empty while one of them can be used.
std::string trouble_of_all(const std::vector<SeenToken>& tokens) {
  std::string all;
  for (const SeenToken& token : tokens) {
    const std::string trouble = token_trouble(token.status);
    if (trouble.empty()) {
      return {};
    }
    all += (all.empty() ? "" : "; ") + (tokens.size() == 1 ? "" : token.name + " ") + trouble;
  }
  return all;
}

/// As hsm::KeyReport names them.
std::set<std::string> keys_of_served_cas(const ca::Snapshot& snapshot) {
  std::set<std::string> keys;
  for (const ca::CertificationAuthority* authority : snapshot.served_cas()) {
    keys.insert(hsm::KeyUri::parse(authority->key_uri).text());
  }
  return keys;
}

using OfKind = std::function<bool(const hsm::KeyReport&)>;

bool one_is_in_a_token(const std::vector<SeenToken>& tokens, const OfKind& of_kind) {
  return std::ranges::any_of(
      tokens, [&](const SeenToken& token) { return std::ranges::any_of(token.keys, of_kind); });
}

/// Its token is not away, and does not refuse it.
bool one_can_be_used(const std::vector<SeenToken>& tokens, const OfKind& of_kind) {
  return std::ranges::any_of(tokens, [&](const SeenToken& token) {
    return token_trouble(token.status).empty() &&
           std::ranges::any_of(
               token.keys, [&](const hsm::KeyReport& key) { return of_kind(key) && !key.refused; });
  });
}

/// Of the keys that sign certificates, where it is not said already that all tokens are away, and
/// of the listener's, without which nobody gets in, also to what needs no token.
std::string key_trouble(const Monitored& monitored) {
  const std::vector<SeenToken>& tokens = monitored.tokens;
  const std::set<std::string> signing = keys_of_served_cas(*monitored.snapshot);
  const Bytes listener = monitored.tls_certificate.public_key().fingerprint();
  // One that nobody knows a token of is in none.
  const OfKind signs = [&](const hsm::KeyReport& key) { return signing.contains(key.uri); };
  if (trouble_of_all(tokens).empty() && !signing.empty() && !one_can_be_used(tokens, signs)) {
    return "none can be used";
  }
  const OfKind listens = [&](const hsm::KeyReport& key) { return key.fingerprint == listener; };
  if (one_is_in_a_token(tokens, listens) && !one_can_be_used(tokens, listens)) {
    return "the listener's cannot be used";
  }
  return {};
}

}  // namespace

std::optional<hsm::TokenStatus> TokenProbe::look() {
  constexpr std::chrono::seconds kPatience{1};
  constexpr std::chrono::seconds kRecent{2};
  std::unique_lock lock(shared_->mutex);
  const auto back_by = [&](Clock::time_point end) {
    return shared_->back.wait_until(lock, end, [&] { return !shared_->looking; });
  };
  const auto end = Clock::now() + kPatience;
  for (;;) {
    if (!shared_->looking) {
      static_cast<void>(in_own_thread([shared = shared_] { look_once(*shared); }));
      shared_->looking = true;  // it ends under the lock
      shared_->began = Clock::now();
    }
    const std::uint64_t discarded = shared_->discarded;
    if (!back_by(std::min(end, shared_->began + kPatience))) {
      return Clock::now() - shared_->seen < kRecent ? shared_->last : std::nullopt;
    }
    if (shared_->discarded == discarded) {
      return shared_->last;
    }
  }
}

void TokenProbe::look_once(Shared& shared) noexcept {
  std::optional<hsm::TokenStatus> seen;
  try {
    seen = shared.token->probe();
  } catch (const std::exception&) {
    // No memory: it does not answer.
  }
  const std::lock_guard lock(shared.mutex);
  if (std::exchange(shared.stale, false)) {
    ++shared.discarded;
  } else {
    shared.last = std::move(seen);
    shared.seen = Clock::now();
  }
  shared.looking = false;
  shared.back.notify_all();
}

void TokenProbe::look_anew() {
  const std::lock_guard lock(shared_->mutex);
  shared_->last.reset();
  shared_->stale = shared_->looking;
}

bool TokenProbe::idle() const {
  const std::lock_guard lock(shared_->mutex);
  return !shared_->looking;
}

ReadinessChecks readiness_of(const Monitored& monitored) {
  const bool expired = monitored.now > monitored.tls_certificate.not_after();
  return {{"configuration", monitored.snapshot->aliases.empty() ? "no alias" : ""},
          {"tls", expired ? "the certificate has expired" : ""},
          {"listener", monitored.load.stalled ? "no worker is free" : ""},
          {"store", monitored.store.failed ? "failed, restart needed" : ""},
          {"token", trouble_of_all(monitored.tokens)},
          {"keys", key_trouble(monitored)},
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
  for (const SeenToken& token : monitored.tokens) {
    collect_token(token, metrics);
  }
  collect_server_keys(monitored.server_keys, metrics);
}

}  // namespace estia::app
