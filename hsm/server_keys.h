// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/secure_bytes.h"
#include "crypto/keys/key_spec.h"
#include "crypto/keys/public_key.h"
#include "crypto/keys/token_encryption.h"
#include "hsm/token.h"

namespace estia::hsm {

class Attachment;

/// A key that was made for a client (RFC 7030 4.4), on its way there: the token has it no more.
struct GeneratedKey {
  SecureBytes pkcs8;  ///< DER PrivateKeyInfo (RFC 5208), to the last byte
  crypto::PublicKey public_key;
};

/// Likewise, but nobody here has ever had the private key.
struct GeneratedEncryptedKey {
  crypto::TokenEncryptedKey key;
  crypto::PublicKey public_key;
};

/// How many keys are made at the same time. Each takes a session of the token's pool for as long:
/// about a millisecond for an EC key, seconds for RSA.
struct ServerKeysLimits {
  std::size_t at_once = 4;      ///< EC and Ed25519
  std::size_t rsa_at_once = 1;  ///< on top of those
  /// Pairs made in advance, by kind ("RSA-2048", ...). At most kMostStock of each; any at all take
  /// one session more, for good.
  std::map<std::string, std::size_t> stock;

  static constexpr std::size_t kMostStock = 64;
};

struct ServerKeysStatus {
  std::string mechanism;     ///< by which keys leave the token; empty: it has none that works
  std::string wrapping_key;  ///< "made in the token" or "imported"; empty: it takes none
  bool ed25519 = false;      ///< Ed25519 keys leave it, too
  crypto::TokenEncryption encryption{};      ///< what generate_for() can be asked for
  std::string refused;                       ///< what was tried in vain, and the token's answers
  std::size_t running = 0;                   ///< keys on their way to clients at this moment
  std::map<std::string, std::size_t> stock;  ///< pairs ready, by kind
  std::string stock_failure;                 ///< why the stock cannot be filled; empty when it can
  // Every pair that the token made is in one of these three, or running.
  std::uint64_t delivered = 0;
  std::uint64_t in_stock = 0;
  std::uint64_t destroyed = 0;  ///< made in vain: to find out the mechanism, too old, or failed
};

/// Makes keys for clients inside a token and brings them out: as extractable, sensitive session
/// objects, wrapped under an AES key that lives in the login session, unwrapped into the secure
/// heap and compared with the token's public key, or encrypted for somebody's RSA key; then
/// destroyed in the token. RSA keys may be made in
/// advance (limits.stock): they then wait in the token, for an hour at most, and after a recovery
/// are made anew without being asked for. Any thread.
///
/// open_secure_heap() must have been called; count 64 KiB of it for each key at once.
class ServerKeys final {
 public:
  enum class FindOut {
    now,    ///< in the constructor
    later,  ///< in a thread that begin() starts, or by whoever asks for a key first
  };

  /// Whether and how keys leave the token is found out in about a second, if it answers, and again
  /// after each recovery. A token that lets none out is no error, see supports(); one that is away,
  /// or fails meanwhile, is asked again later. The limits together must leave at least one session
  /// of the token's pool to signing, else Error{config, "serverkeygen.sessions"}. Throws
  /// Error{config, "serverkeygen.stock"} for more than kMostStock pairs and, if it finds out now,
  /// for a kind that the token does not let out, Error{token}; found out later, such a kind has no
  /// stock. `clock` outlives it.
  ServerKeys(const Token& token, const ServerKeysLimits& limits, const Clock& clock,
             FindOut when = FindOut::now);
  ~ServerKeys();  ///< waits for a call of its thread, or for a pair that is being made
  ServerKeys(const ServerKeys&) = delete;
  ServerKeys& operator=(const ServerKeys&) = delete;
  ServerKeys(ServerKeys&&) = delete;
  ServerKeys& operator=(ServerKeys&&) = delete;

  /// What its thread found out: null, or what the operator asks for in vain (a stock, or too few
  /// sessions).
  using Told = std::function<void(const Error*)>;
  /// Once, for FindOut::later. The thread calls `told` after each time it has found out; it keeps
  /// none of this object's locks then.
  void begin(Told told);

  /// Whether keys of that kind can be made here, as far as is known before the first one.
  [[nodiscard]] bool supports(const crypto::KeySpec& spec) const noexcept;

  /// One new key; on every other way out nothing of it is left, in the token or here. Call it after
  /// the client was authorised. Throws Error{conflict, "serverkeygen.unsupported"} for a kind that
  /// the token does not let out, before anything is made if that is known; Error{busy,
  /// "serverkeygen.busy"} beyond the limits, without waiting; Error{token, "token.wrap_..."} for a
  /// wrapped key that is not the public key's, "token.key_weak", and what else the token says;
  /// Error{busy, "secure_heap.full"}.
  [[nodiscard]] GeneratedKey generate(const crypto::KeySpec& spec);

  /// Likewise, encrypted for `recipient` inside the token. Throws the same, and Error{conflict,
  /// "serverkeygen.unsupported"} beyond encryption().
  [[nodiscard]] GeneratedEncryptedKey generate_for(const crypto::KeySpec& spec,
                                                   const crypto::TokenRecipient& recipient);

  /// What the token was seen to do of it. Throws Error{token} before it was there.
  [[nodiscard]] crypto::TokenEncryption encryption();

  [[nodiscard]] ServerKeysStatus status() const;

  /// For the end of the process: makes no more pairs in advance. Waits a second at most. False: a
  /// thread of this object's is in the token, which may take minutes, and it cannot go before.
  [[nodiscard]] bool halt_stock() noexcept;

 private:
  struct Counters;
  class Parts;

  [[nodiscard]] std::shared_ptr<Parts> parts() const;
  [[nodiscard]] std::shared_ptr<Parts> parts_in(const std::shared_ptr<Attachment>& attached);
  template <class Make>
  [[nodiscard]] auto with_parts(Make&& make);
  void try_parts(const std::shared_ptr<Attachment>& attached);
  void start_keeper(std::chrono::seconds pause);
  void keep(std::chrono::seconds pause);
  void prepare();
  void require_sessions(const Attachment& attached) const;

  const std::shared_ptr<TokenCore> core_;
  const ServerKeysLimits limits_;
  const Clock& clock_;
  const FindOut when_;
  const std::unique_ptr<Counters> counters_;
  Told told_;                                 ///< before the thread starts
  bool said_no_ = false;                      ///< the thread's
  std::binary_semaphore finding_out_{1};      ///< of whoever makes parts
  mutable std::mutex mutex_;                  ///< guards what follows, for a moment
  std::shared_ptr<Parts> parts_;              ///< of the last attachment that was asked for keys
  std::vector<std::shared_ptr<Parts>> past_;  ///< whose stock was still in the token
  std::string none_because_ = "not found out yet";  ///< while there are no parts
  bool stop_ = false;
  bool preparing_ = false;  ///< keep() is in the module
  std::condition_variable changed_;
  std::thread keeper_;  ///< for a stock, and for FindOut::later; last: it uses everything above
};

}  // namespace estia::hsm
