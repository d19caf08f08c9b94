// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/keys/key_spec.h"
#include "crypto/keys/private_key.h"
#include "hsm/key_uri.h"
#include "hsm/pin_source.h"
#include "hsm/token_info.h"
#include "hsm/token_statistics.h"

namespace estia::hsm {

/// What became of the attachment to a token, for log and audit.
struct TokenEvent {
  enum class What {
    attached,     ///< it can be used
    lost,         ///< a fault; recovery begins
    away,         ///< and does not succeed yet
    pin_refused,  ///< and ends: only an operator can go on
    pin_awaited,  ///< likewise: he has not brought it yet
    key_refused,  ///< a key is not there, or is not to be used
    key_found,    ///< and is again
  };
  What what;
  std::string detail;
};

/// Who speaks to the token for a signature.
enum class Signing {
  native,           ///< our own code, over the pool's sessions
  pkcs11_provider,  ///< the package pkcs11-provider (pkcs11_provider.h)
};

/// Who finds out that a signature is wrong.
enum class SignatureCheck {
  callers,  ///< whoever asks for it, before anything is released
  ours,     ///< hsm: each is verified before the caller has it
};

struct TokenConfig {
  static constexpr std::size_t kMostSessions = 1024;  ///< that max_sessions may be

  std::filesystem::path module;  ///< absolute path of the PKCS #11 library
  std::string init_args;  ///< handed to C_Initialize as pReserved (NSS softokn); usually empty
  std::string label;      ///< of the token; padding does not count
  std::string serial;     ///< where two tokens share a label; may be empty
  PinSource pin;
  std::size_t max_sessions = 64;  ///< upper limit, at least 1; the token's own limit may be lower
  std::chrono::milliseconds session_wait{5000};  ///< how long an operation waits for a session
  /// How long it waits for the end of a recovery that has just begun, at most: nobody else is
  /// served by its thread meanwhile.
  std::chrono::milliseconds recovery_wait{2000};
  /// So many threads call it at one time, at most.
  std::size_t callers = 64;
  /// Of them so many before a client is served at all, where it has the listener's TLS key.
  std::size_t handshakes = std::numeric_limits<std::size_t>::max();
  /// A call that takes longer hangs. Half of the sessions, or of these, in such calls, or one
  /// of them while a key is looked for that others wait for (three waits for a session longer): the
  /// token counts as away, until they are back.
  std::chrono::milliseconds call_limit{30'000};
  Signing signing = Signing::native;
  /// Other tokens are served meanwhile: attach() waits also for what waiting alone cannot mend.
  bool others_serve = false;
  std::filesystem::path pin_marker{};  ///< of PinMarker; empty: none is kept
  /// Called by the thread that recovers, and by those that report faults, under a lock: it returns
  /// soon and calls nothing of the token's.
  std::function<void(const TokenEvent&)> on_event{};
};

enum class TokenState { attached, recovering, away, pin_refused, pin_awaited };

struct TokenStatus {
  TokenState state = TokenState::away;
  std::string why{};     ///< of the last three: id and detail, for people
  bool present = false;  ///< the slot holds the token: now, or when its PIN was refused or awaited
  bool logged_in = false;  ///< the session that keeps the login still says so
  std::string label{};
  std::string serial{};
  std::string manufacturer{};
  std::string model{};
  std::size_t sessions_open = 0;    ///< pool only, without the session that keeps the login
  std::size_t sessions_in_use = 0;  ///< lent at this moment
  std::size_t sessions_cap = 0;
  std::uint64_t epoch = 0;  ///< changes when handles must be resolved again
  // How often each rung of recovery has helped.
  std::uint64_t new_sessions = 0;
  std::uint64_t logins = 0;  ///< with the first
  std::uint64_t restarts = 0;
};

/// What the token says about a private key.
struct KeyAttributes {
  bool token = false;  ///< lives in the token, not in a session
  bool sensitive = false;
  bool extractable = true;
  bool always_sensitive = false;
  bool never_extractable = false;
  bool local = false;  ///< generated inside
  bool sign = false;
  bool sign_recover = false;
  bool decrypt = false;
  bool unwrap = false;
  bool derive = false;
  bool always_authenticate = false;  ///< each signature wants a login of its own
  crypto::KeySpec spec;
};

/// A key that is in use, as it was when it was last found.
struct KeyReport {
  std::string uri;
  std::string kind;     ///< "P-256", ...
  Bytes fingerprint{};  ///< of its public half
  bool ready = false;   ///< it was found in the login that is in force
  /// It was looked for in that login, and is not there or not to be used, or the token has not said
  /// for two seconds; or it has never been found in this process.
  bool refused = false;
  std::string why{};  ///< id and detail, if it was not: for people
  /// Read when it was last looked for, also if it was refused then; none if it was not there.
  std::optional<KeyAttributes> attributes{};
};

/// A key that was not looked for yet.
struct LateKey {
  crypto::PrivateKey key;  ///< looks for it at each use until it is found; those throw the same
  /// Looks for it now, and has it prove itself. Throws what Token::key() throws. Any thread; may
  /// outlive the Token.
  std::function<void()> find;
};

class Pkcs11Provider;
class TokenCore;
class TokenKey;

/// One token, logged in, also again after it was lost (recovery.h). Safe from any thread: each
/// operation borrows a session from a pool that never exceeds what the token allows. Keys may
/// outlive the Token object: they hold what they need.
///
/// Errors of the token are Error{token, "token.<what>"}; a later call may succeed, so callers may
/// retry. No free session within session_wait is Error{busy, "token.sessions_exhausted"}.
///
/// The process must ignore SIGPIPE (a module that talks to a remote HSM dies by it when the peer
/// goes) and must not fork after open() and go on in the child: sessions are not inherited.
class Token final : public std::enable_shared_from_this<Token> {
 public:
  /// Loads and initialises the module (first in the process), finds the one token with the label
  /// (and serial) and logs in, and again only when the login was lost: SoftHSM rewrites the token's
  /// file at each login, and loses the token if it dies meanwhile. Throws Error{token,
  /// "token.not_found"} for none, Error{config, "token.ambiguous"} for two, Error{token,
  /// "token.pin_incorrect"} after exactly one attempt.
  [[nodiscard]] static std::shared_ptr<Token> open(const TokenConfig& config);

  /// Likewise, for a daemon: a token that is away, or refuses its PIN, is waited for, and keys are
  /// found when they are needed. Throws only what waiting cannot mend (Error{config}), and nothing
  /// of that with others_serve.
  [[nodiscard]] static std::shared_ptr<Token> attach(const TokenConfig& config);

  /// What open() would refuse before it calls a module: Error{config,
  /// "token.signing_unavailable"}.
  static void require_signing(Signing signing);

  ~Token();
  Token(const Token&) = delete;  // one owner of the login
  Token& operator=(const Token&) = delete;
  Token(Token&&) = delete;
  Token& operator=(Token&&) = delete;

  /// The private key of that name; its bytes never enter this process. Signs a random text and
  /// verifies it, here and whenever it is found again after a loss, so that a public key object
  /// that belongs to another key, or a key that may not sign, is found out. Throws Error{not_found,
  /// "token.key_not_found"} for none, Error{conflict, "token.key_ambiguous"} for two, Error{token,
  /// "token.key_mismatch"} for a foreign public key, Error{config, "token.uri_other_token"} for a
  /// name in another token.
  [[nodiscard]] crypto::PrivateKey key(const KeyUri& uri,
                                       SignatureCheck check = SignatureCheck::callers);
  /// Likewise, if its public half is this one (else Error{token, "token.key_changed"}) and it
  /// cannot leave the token (else Error{token, "token.key_extractable"}) and signs without a login
  /// for each signature (else Error{token, "token.key_always_authenticate"}).
  [[nodiscard]] crypto::PrivateKey key(const KeyUri& uri, crypto::PublicKey public_half);
  /// The same without a call to the token.
  [[nodiscard]] LateKey key_later(const KeyUri& uri, crypto::PublicKey public_half);

  /// Makes a key pair in the token: it signs, is sensitive and never extractable, and may do
  /// nothing else; read back and checked, and destroyed again if the token made something else
  /// (Error{token, "token.key_attributes"}). Refuses a label that is in use: Error{conflict,
  /// "token.key_exists"}. Run it while nothing else searches the token: SoftHSM fails otherwise.
  [[nodiscard]] crypto::PrivateKey generate(const crypto::KeySpec& spec,
                                            const std::string& object_label);

  /// The complete name (token, serial, label, id) of the one private key with that label. Errors as
  /// in key().
  [[nodiscard]] KeyUri uri_of(const std::string& object_label);

  /// Destroys the key pair, for undoing a failed ceremony. Errors as in key(). For good.
  void destroy(const KeyUri& uri);

  [[nodiscard]] KeyAttributes attributes(const KeyUri& uri);

  /// Recovery::activate.
  void activate(std::optional<Secret> pin = std::nullopt);

  /// A signature of that key did not verify: its handle may name another key. It is looked for
  /// again, once a minute at most after another login.
  void distrust(const KeyUri& uri, const crypto::PublicKey& public_half) noexcept;

  /// The keys that somebody holds. Makes no call to the token.
  [[nodiscard]] std::vector<KeyReport> keys() const;
  [[nodiscard]] TokenStatistics::Counts statistics() const;

  /// What the token said of itself when it was last attached; the configuration's label and serial
  /// before that. Makes no call to the token.
  [[nodiscard]] TokenInfo info() const;

  /// Cheap, never throws for a token that is gone: for health. Keys that cannot be used are looked
  /// for, and prove themselves, but rest between.
  [[nodiscard]] TokenStatus probe();

 private:
  friend class ServerKeys;  // makes keys with the same sessions and login
  friend class SealingKey;  // likewise
  Token(std::shared_ptr<TokenCore> core, std::shared_ptr<Pkcs11Provider> provider);
  [[nodiscard]] LateKey late_key(const KeyUri& uri, crypto::PublicKey public_half,
                                 SignatureCheck check, bool with_events);
  [[nodiscard]] crypto::PrivateKey private_key(std::shared_ptr<const TokenKey> key,
                                               SignatureCheck check) const;

  std::shared_ptr<TokenCore> core_;
  std::shared_ptr<Pkcs11Provider> provider_;  ///< null: signatures are made natively
};

}  // namespace estia::hsm
