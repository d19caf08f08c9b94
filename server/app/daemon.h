// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "crypto/base/clock.h"
#include "hsm/token.h"
#include "server/app/configuration_changes.h"
#include "server/app/management_server.h"
#include "server/app/monitoring.h"
#include "server/app/process_config.h"
#include "server/app/snapshot_holder.h"
#include "server/app/tls_key_search.h"
#include "server/app/tls_reload.h"
#include "server/app/token_ca_keys.h"
#include "server/app/token_events.h"
#include "server/app/token_secret_sealer.h"
#include "server/app/token_server_keys.h"
#include "server/app/token_trial.h"
#include "server/app/tokens.h"
#include "server/auth/authenticate.h"
#include "server/ca/enrollment.h"
#include "server/est/est_router.h"
#include "server/http/server.h"
#include "server/store/store.h"

namespace estia::app {

/// The daemon's objects in the order they need each other; they go in the reverse order. The caller
/// holds the state directory's lock and has called guard_process(). Start and stop from one thread.
class Daemon final {
 public:
  /// Opens the store, builds the snapshot, logs in to the token, finds the CA keys. Opens no port.
  /// A token that is away or refuses its PIN is waited for while the daemon serves what needs none,
  /// unless the TLS key is in it. Throws Error{config | store | token, ...}.
  explicit Daemon(const ProcessConfig& config, BroughtPins pins = {});
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  Daemon(Daemon&&) = delete;
  Daemon& operator=(Daemon&&) = delete;

  /// Accepts connections; the start is in the audit trail before that.
  void start();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// As TlsReload::reload, for a signal: what fails is in the log and the audit trail. Does not
  /// wait for it: the token that a key is in may hang.
  void reload_tls();
  enum class Stopped {
    complete,
    token_busy,  ///< all is answered and the store is closed; a call to a token that nobody waits
                 ///< for is not back
    cut,         ///< something had to be cut, and may still be running inside a token's module
  };
  /// Answers what is in flight within the configured limit and writes the stop into the audit
  /// trail. Unless it is complete, the process must end without destroying this object (D15).
  [[nodiscard]] Stopped stop();

 private:
  [[nodiscard]] api::Management management();
  [[nodiscard]] api::Status status();
  [[nodiscard]] bool drain();
  [[nodiscard]] Monitored monitored();
  [[nodiscard]] TokenKeySource token_keys();
  [[nodiscard]] TokenCaKeys::TokenOf token_of();
  void activate_token(api::TokenActivation order, const std::string& who);
  [[nodiscard]] std::vector<api::ProvedKey> probe_token(const std::string& who);
  void audit(const char* what, const std::string& outcome, const std::string& detail);

  ProcessConfig config_;
  SystemClock clock_;
  Instant started_at_ = clock_.now();
  std::unique_ptr<store::Store> store_;
  SnapshotHolder snapshots_;
  TokenEvents token_events_;
  Tokens tokens_;
  TokenCaKeys keys_;
  TlsKeySearch tls_key_search_;
  http::TlsIdentity tls_identity_;
  TokenServerKeys server_keys_;
  TokenSecretSealer sealer_;
  ca::Issuer issuer_;
  ca::Enrollment enrollment_;
  auth::Authentication authentication_;
  est::RefusalAudit refusals_;
  est::CaCertificates ca_certificates_;
  est::KeyDelivery delivery_;
  est::Enroll enroll_;
  ConfigurationChanges changes_;
  ops::Metrics metrics_;
  http::Server server_;
  TlsReload tls_reload_;
  std::uint16_t port_ = 0;  ///< once started; a listener that is draining no longer knows
  std::optional<ManagementServer> management_;
  std::atomic<bool> stopping_{false};
  TokenTrial trial_{keys_};
  std::optional<OpsServer> ops_;
  std::atomic<unsigned> reloads_wanted_{0};  ///< by signals, since the last one ended
  std::future<void> reload_;                 ///< the last that a signal began
};

/// Everything that can be checked without opening a port and without logging in to the token
/// (`estiad --check-config`): files and their modes, TLS key and certificate, and, if `store` says
/// so, the store and the configuration in it. Throws like Daemon.
enum class CheckStore { yes, no };
void check_configuration(const ProcessConfig& config, CheckStore store);

/// The configuration that the store holds. Throws Error{config, "daemon.no_configuration"} and what
/// build_snapshot throws.
[[nodiscard]] std::shared_ptr<const ca::Snapshot> load_snapshot(
    const ca::ConfigurationStore& configuration);

}  // namespace estia::app
