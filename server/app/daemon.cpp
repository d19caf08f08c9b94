// SPDX-License-Identifier: Apache-2.0
#include "server/app/daemon.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/base/pin_file.h"
#include "hsm/pin_source.h"
#include "server/app/audited.h"
#include "server/app/process_guard.h"
#include "server/app/tls_identity.h"
#include "server/app/token_reports.h"
#include "server/est/explain.h"
#include "server/http/stream.h"
#include "server/ops/log.h"
#include "server/ops/notify.h"
#include "server/provision/configuration_document.h"

namespace estia::app {
namespace {

hsm::ServerKeysLimits server_keys_limits(const ProcessConfig& config) {
  return {.at_once = config.serverkeygen.at_once,
          .rsa_at_once = config.serverkeygen.rsa_at_once,
          .stock = config.serverkeygen.stock};
}

http::ServerConfig server_config(const ProcessConfig& config, ops::Metrics& metrics) {
  http::Limits limits = config.limits;
  // Each token can keep as many as there are workers: also when all of them hang somebody serves.
  limits.spares = limits.workers * static_cast<unsigned>(1 + config.tokens.size());
  return {.host = config.est.host,
          .port = config.est.port,
          .limits = limits,
          .proxies = config.est.proxies,
          .resumption = config.est.resumption,
          .observer = counting(metrics)};
}

/// Those that are not refused are used all the same: a key that was imported is its CA's.
void warn_of_keys(const std::string& token, const std::vector<hsm::KeyReport>& keys) {
  for (const hsm::KeyReport& key : keys) {
    if (!key.attributes) {
      continue;
    }
    std::string what;
    for (const std::string& shortcoming : shortcomings_of(*key.attributes)) {
      what += (what.empty() ? "" : ", ") + shortcoming;
    }
    if (!what.empty()) {
      ops::log(ops::Level::warning, "token.key_shortcomings",
               {{"token", token}, {"key", key.uri}, {"what", what}});
    }
  }
}

/// Of a configuration that another token could serve: no reason not to issue.
void warn_of_promises(const ca::Snapshot& snapshot, const ca::ServerKeys& keys) {
  try {
    check_server_keys(snapshot, {}, keys);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::token) {  // else that is not known yet, and said elsewhere
      ops::log(ops::Level::warning, "serverkeygen.hsm_wrapped",
               {{"reason", error.what()}, {"detail", error.detail()}});
    }
  }
}

void check_token(const ProcessConfig& config, const std::string& name,
                 const ProcessConfig::Token& token) {
  if (token.pin_from == ProcessConfig::PinFrom::file) {
    static_cast<void>(read_pin_file(token.pin_file));
  }
  // A check by hand has no credentials: the service manager hands them to the daemon.
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  if (token.pin_from == ProcessConfig::PinFrom::credential && credentials != nullptr &&
      *credentials != '\0') {
    const hsm::PinSource source{.file = {}, .credential = token.pin_credential};
    static_cast<void>(source.read());
  }
  if (!std::filesystem::is_regular_file(token.module)) {
    throw Error(ErrorCode::config, "token.module_missing",
                config.file.string() + ": " + name + ".module: " + token.module.string() +
                    " is not a file");
  }
  hsm::Token::require_signing(token.signing);
}

/// Of the keys that sign: the root's may be elsewhere.
void check_key_places(const ProcessConfig& config, const ca::Snapshot& snapshot) {
  for (const ca::CertificationAuthority* authority : snapshot.served_cas()) {
    try {
      check_key_place(config, hsm::KeyUri::parse(authority->key_uri));
    } catch (const Error& error) {
      throw Error(error.code(), error.id(), "CA '" + authority->name + "': " + error.what(),
                  error.detail());
    }
  }
}

}  // namespace

std::shared_ptr<const ca::Snapshot> load_snapshot(const ca::ConfigurationStore& configuration) {
  const std::optional<ca::StoredConfiguration> stored = configuration.load();
  if (!stored) {
    throw Error(ErrorCode::config, "daemon.no_configuration",
                "the store holds no configuration: run estia init");
  }
  return provision::build_snapshot(*stored);
}

Daemon::Daemon(const ProcessConfig& config, BroughtPins pins)
    : config_(config),
      store_(store::Store::open(config.store, clock_)),
      snapshots_(load_snapshot(store_->configuration())),
      token_events_(store_->audit_log(), clock_),
      tokens_(config_, token_events_, std::move(pins)),
      keys_(token_of(), *snapshots_.current(), tokens_.patience()),
      tls_key_search_(tokens_),
      tls_identity_(load_tls_identity(config.est, token_keys(), clock_.now())),
      server_keys_(tokens_.for_server_keys(), server_keys_limits(config), clock_),
      sealer_(tokens_.main()),
      issuer_(store_->registry(), clock_),
      enrollment_(issuer_, store_->end_entities(), keys_, server_keys_, clock_),
      authentication_(store_->registry(), store_->end_entities(), clock_),
      refusals_(store_->audit_log(), clock_),
      delivery_({tls_identity_.key, tls_identity_.chain.front()}, store_->decrypt_keys(), sealer_,
                clock_),
      enroll_(authentication_, enrollment_, delivery_, refusals_),
      changes_(store_->configuration(), store_->decrypt_keys(), sealer_, clock_, keys_,
               server_keys_, snapshots_),
      server_(server_config(config, metrics_), tls_identity_,
              std::make_shared<est::EstRouter>(snapshots_, ca_certificates_, enroll_, refusals_)),
      tls_reload_(config_.est, token_keys(), tls_identity_.chain.front(), server_, delivery_,
                  store_->audit_log(), clock_) {
  if (config_.management.enabled) {
    management_.emplace(config_.management, management());
  }
  if (config_.ops.enabled) {
    ops_.emplace(
        config_.ops, metrics_,
        [this](ops::Metrics& metrics) { collect(monitored(), ESTIA_VERSION, metrics); },
        [this] { return readiness_of(monitored()); });
  }
}

TokenCaKeys::TokenOf Daemon::token_of() {
  return [this](const hsm::KeyUri& uri) -> hsm::Token& { return tokens_.of(uri); };
}

TokenKeySource Daemon::token_keys() {
  return [this](const hsm::KeyUri& uri) { return tls_key_search_.find(uri); };
}

Monitored Daemon::monitored() {
  changes_.let_go_of_keys();
  return {.store = store_->stats(),
          .tokens = tokens_.look(),
          .server_keys = server_keys_.status(),
          .load = server_.load(),
          .tls_certificate = tls_reload_.certificate(),
          .snapshot = snapshots_.current(),
          .now = clock_.now(),
          .stopping = stopping_.load()};
}

api::Management Daemon::management() {
  return {
      .registry = store_->registry(),
      .entities = store_->end_entities(),
      .decrypt_keys = store_->decrypt_keys(),
      .configuration = store_->configuration(),
      .clock = clock_,
      .snapshot = [this] { return snapshots_.current(); },
      .apply =
          [this](const provision::ApplyRequest& request) {
            provision::ApplyReport report = changes_.apply(request);
            server_.forget_sessions();  // D14: its anchors may be others
            return report;
          },
      .take_crl =
          [this](const provision::CrlRequest& request) { return changes_.take_crl(request); },
      .add_decrypt_key =
          [this](const provision::DecryptKeyPlan& plan, const std::string& who) {
            return changes_.add_decrypt_key(plan, who);
          },
      .check_keys = [this](const ca::Snapshot& wanted) { changes_.check_keys(wanted); },
      .status = [this] { return status(); },
      .explain =
          [this](const ca::Question& question) {
            return est::explain(question, {.snapshots = snapshots_,
                                           .registry = store_->registry(),
                                           .entities = store_->end_entities(),
                                           .enrollment = enrollment_,
                                           .delivery = delivery_,
                                           .clock = clock_});
          },
      .activate_token = [this](api::TokenActivation order,
                               const std::string& who) { activate_token(std::move(order), who); },
      .probe_token = [this](const std::string& who) { return probe_token(who); },
      .tls_certificate = [this] { return tls_reload_.certificate(); },
      .reload_tls = [this](const std::string& who) { return tls_reload_.reload(who); }};
}

void Daemon::activate_token(api::TokenActivation order, const std::string& who) {
  if (order.token.empty() && tokens_.several()) {
    throw Error(ErrorCode::conflict, "token.name_needed", "there are several tokens: say which");
  }
  const std::string name = order.token.empty() ? Tokens::kMain : order.token;
  hsm::Token& token = tokens_.named(name);
  static_cast<void>(audited(
      store_->audit_log(), clock_,
      {.who = who, .what = "token.activate", .object = "token/" + name},
      [&] {
        token.activate(std::move(order.pin));
        return true;
      },
      [](bool) { return Outcome(); }));
  tokens_.look_anew();
}

/// Its signatures are by the CA keys.
std::vector<api::ProvedKey> Daemon::probe_token(const std::string& who) {
  std::vector<api::ProvedKey> proved = audited(
      store_->audit_log(), clock_, {.who = who, .what = "token.probe", .object = "tokens"},
      [&] { return trial_.run(*snapshots_.current()); }, TokenTrial::outcome_of);
  tokens_.look_anew();
  return proved;
}

api::Status Daemon::status() {
  changes_.let_go_of_keys();
  const std::shared_ptr<const ca::Snapshot> snapshot = snapshots_.current();
  const store::StoreStats stats = store_->stats();
  api::Status status{.version = ESTIA_VERSION,
                     .pid = ::getpid(),
                     .node = store_->node(),
                     .started_at = started_at_,
                     .configuration = snapshot->version,
                     .est_host = config_.est.host,
                     .est_port = port_,
                     .store_commits = stats.commits,
                     .store_failures = stats.failures,
                     .store_queued = stats.queued,
                     .store_failed = stats.failed};
  for (const SeenToken& token : tokens_.look()) {
    status.tokens.push_back(report_of(token, *snapshot));
  }
  status.serverkeygen = report_of(server_keys_.status());
  for (const auto& [name, alias] : snapshot->aliases) {
    status.aliases.push_back(name);
  }
  return status;
}

void Daemon::start() {
  const std::vector<ca::CertificateRecord> open = store_->registry().open_intents();
  for (const ca::CertificateRecord& intent : open) {
    ops::log(ops::Level::warning, "daemon.open_intent",  // counts as issued (D5)
             {{"serial", to_hex(intent.serial)}, {"ca", intent.ca}, {"alias", intent.alias}});
  }
  for (const auto& [token, keys] : tokens_.keys()) {
    warn_of_keys(token, keys);
  }
  const std::string version = std::to_string(snapshots_.current()->version);
  const std::string open_intents = std::to_string(open.size());
  audit("daemon.started", "ok", "configuration=" + version + " open_intents=" + open_intents);
  server_.start();
  port_ = server_.port();
  if (management_) {
    management_->start();
  }
  if (ops_) {
    ops_->start();
  }
  server_keys_.begin([this] { warn_of_promises(*snapshots_.current(), server_keys_); });
  ops::log(ops::Level::info, "daemon.started",
           {{"configuration", version},
            {"open_intents", open_intents},
            {"host", config_.est.host},
            {"port", std::to_string(port_)},
            {"management", management_ ? config_.management.socket.string() : "off"},
            {"ops", ops_ ? config_.ops.host + ":" + std::to_string(ops_->port()) : "off"}});
  ops::notify("READY=1");
}

void Daemon::reload_tls() {
  // One that runs may have read the files already: it goes round again.
  if (reloads_wanted_.fetch_add(1) > 0) {
    return;
  }
  reload_ = std::async(std::launch::async, [this] {
    unsigned seen = 0;
    do {
      seen = reloads_wanted_.load();
      try {
        static_cast<void>(tls_reload_.reload(own_name()));
      } catch (const std::exception&) {
        // Said by TlsReload; the old certificate is shown on.
      }
    } while (!reloads_wanted_.compare_exchange_strong(seen, 0));
  });
}

/// Devices first, within the limit; an operator's request has what is left of it, or a second.
bool Daemon::drain() {
  constexpr std::chrono::milliseconds kLeast{1000};
  const http::Deadline deadline = http::after(config_.drain);
  const bool served = server_.drain(config_.drain);
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  const bool managed = !management_ || management_->drain(std::max(left, kLeast));
  const bool reloaded =
      !reload_.valid() || reload_.wait_for(std::max(left, kLeast)) == std::future_status::ready;
  const bool watched = !ops_ || ops_->drain(kLeast);  // who watches watches to the end
  return served && managed && reloaded && watched && trial_.idle();
}

Daemon::Stopped Daemon::stop() {
  ops::log(ops::Level::info, "daemon.stopping", {});
  ops::notify("STOPPING=1");
  stopping_.store(true);  // readiness is red from here on
  std::this_thread::sleep_for(config_.drain_notice);
  const bool complete = drain();
  refusals_.flush();
  try {
    audit("daemon.stopped", complete ? "ok" : "cut", "");
  } catch (const Error& error) {
    if (complete) {
      throw;
    }
    ops::log(ops::Level::error, "daemon.stop_not_audited", {{"reason", error.what()}});
  }
  ops::log(complete ? ops::Level::info : ops::Level::warning, "daemon.stopped",
           {{"outcome", complete ? "ok" : "cut"}});
  if (!complete) {
    return Stopped::cut;
  }
  const bool quiet = tokens_.idle() && keys_.idle() && tls_key_search_.idle();
  if (server_keys_.halt_stock() && quiet) {
    return Stopped::complete;
  }
  token_events_.finish();
  store_.reset();  // nobody is left who would use it
  return Stopped::token_busy;
}

void Daemon::audit(const char* what, const std::string& outcome, const std::string& detail) {
  store_->audit_log().append({.at = clock_.now(),
                              .who = own_name(),
                              .what = what,
                              .outcome = outcome,
                              .object = store_->node(),
                              .detail = detail});
}

void check_configuration(const ProcessConfig& config, CheckStore store) {
  const SystemClock clock;
  check_tls_files(config.est, clock.now());
  check_token(config, "token", config.token);
  for (const auto& [name, token] : config.tokens) {
    check_token(config, "tokens." + name, token);
  }
  if (config.est.token_key) {
    check_key_place(config, *config.est.token_key);
  }
  if (store == CheckStore::yes) {
    const auto opened = store::Store::open(config.store, clock);
    check_key_places(config, *load_snapshot(opened->configuration()));
  }
}

}  // namespace estia::app
