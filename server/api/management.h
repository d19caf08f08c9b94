// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/secret.h"
#include "server/ca/configuration_store.h"
#include "server/ca/decrypt_keys.h"
#include "server/ca/end_entity.h"
#include "server/ca/explanation.h"
#include "server/ca/registry.h"
#include "server/provision/anchors.h"
#include "server/provision/apply.h"
#include "server/provision/decrypt_key.h"

namespace estia::api {

/// How keys that are made for clients leave the token.
struct ServerKeygenStatus {
  std::string mechanism{};     ///< PKCS #11 name; empty: none does
  std::string wrapping_key{};  ///< where the key comes from that they are wrapped with
  std::string hsm_wrapped{};   ///< what keys are encrypted by inside the token; empty: none are
  bool ed25519 = false;        ///< Ed25519 keys, too
  std::string refused{};       ///< what was tried in vain, and why
  std::size_t running = 0;     ///< being made at this moment
  std::map<std::string, std::size_t> stock{};  ///< pairs ready in the token, by kind
  std::string stock_failure{};                 ///< why it cannot be filled; empty when it can
  std::uint64_t delivered = 0;
  std::uint64_t destroyed = 0;  ///< made in vain: tried, too old, or failed
};

/// A key that is in use.
struct TokenKeyStatus {
  std::string key{};               ///< PKCS #11 URI
  std::vector<std::string> cas{};  ///< whose it is; empty: of TLS
  std::string kind{};
  bool ready = false;                       ///< found, checked and proved since the last login
  std::string why{};                        ///< if it is not
  std::vector<std::string> attributes{};    ///< what the token says that it is and may do
  std::vector<std::string> shortcomings{};  ///< what a CA's key should not be; used so while ready
};

struct TokenStatus {
  std::string name{};    ///< in the process configuration; "main"
  std::string state{};   ///< attached, recovering, away, PIN refused, PIN awaited, does not answer
  std::string why{};     ///< of the third to fifth
  bool present = false;  ///< the slot holds our token
  bool logged_in = false;  ///< the session that keeps the login says so
  std::string label{};
  std::string serial{};
  std::size_t sessions_open = 0;
  std::size_t sessions_in_use = 0;
  std::size_t sessions_cap = 0;
  std::uint64_t new_sessions = 0;
  std::uint64_t logins = 0;
  std::uint64_t restarts = 0;
  std::vector<TokenKeyStatus> keys{};
};

/// An operator's order to log in.
struct TokenActivation {
  std::string token{};          ///< its name; empty: the main one
  std::optional<Secret> pin{};  ///< for one whose PIN an operator brings
};

/// What became of one signature by a CA's key.
struct ProvedKey {
  std::string ca{};
  std::string id{};      ///< of the refusal; empty: it signed, and the signature is good
  std::string reason{};  ///< of the refusal, for people
  std::chrono::milliseconds took{};
};

/// What GET /v1/status tells.
struct Status {
  std::string version{};  ///< of the program
  int pid = 0;
  std::string node{};
  Instant started_at{};
  std::uint64_t configuration = 0;     ///< version in force
  std::vector<std::string> aliases{};  ///< of it
  std::string est_host{};
  std::uint16_t est_port = 0;
  std::uint64_t store_commits = 0;
  std::uint64_t store_failures = 0;
  std::size_t store_queued = 0;
  bool store_failed = false;
  std::vector<TokenStatus> tokens{};  ///< the main one first
  ServerKeygenStatus serverkeygen{};
};

/// What the management API works on; server/app fills it. All of it may be used from any thread and
/// outlives the routes.
struct Management {
  ca::Registry& registry;
  ca::EndEntityStore& entities;
  ca::DecryptKeyStore& decrypt_keys;
  const ca::ConfigurationStore& configuration;
  const Clock& clock;
  /// The configuration in force.
  std::function<std::shared_ptr<const ca::Snapshot>()> snapshot;
  /// Stores and publishes, one change at a time; throws what provision::apply throws.
  std::function<provision::ApplyReport(const provision::ApplyRequest&)> apply;
  /// Checks, stores and publishes a CRL, one change at a time; throws what provision::take_crl
  /// does.
  std::function<crypto::Crl(const provision::CrlRequest&)> take_crl;
  /// Seals and stores, one change at a time; throws what provision::add_decrypt_key throws.
  std::function<ca::DecryptKey(const provision::DecryptKeyPlan&, const std::string& who)>
      add_decrypt_key;
  /// Whether this configuration could be put in force, as far as the token is concerned.
  std::function<void(const ca::Snapshot&)> check_keys;
  std::function<Status()> status;
  /// What would become of a request.
  std::function<ca::Explanation(const ca::Question&)> explain;
  /// Tries the PIN once more, after the token has refused it, or that one. Throws what
  /// app::Tokens::named and hsm::Token::activate throw.
  std::function<void(TokenActivation order, const std::string& who)> activate_token{};
  /// Lets each CA key sign a text of the daemon's own. Throws Error{busy, "token.probing"} while
  /// another one asks.
  std::function<std::vector<ProvedKey>(const std::string& who)> probe_token{};
  /// What EST clients are shown.
  std::function<crypto::Certificate()> tls_certificate{};
  /// Reads key and certificates of the EST listener again; what it shows from then on. Throws what
  /// app::TlsReload::reload throws.
  std::function<crypto::Certificate(const std::string& who)> reload_tls{};
};

}  // namespace estia::api
