// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>

#include "crypto/base/bytes.h"
#include "crypto/base/error.h"
#include "crypto/keys/public_key.h"
#include "hsm/ckr.h"
#include "hsm/key_failures.h"
#include "hsm/key_uri.h"
#include "hsm/signing_key.h"
#include "hsm/token.h"

namespace estia::hsm {

class Attachment;
class TokenCore;

/// A private key in a token, known by its name and its public half: found again whenever the
/// attachment to the token is another one. Any thread.
class TokenKey final : public SigningKey {
 public:
  /// Makes no call to the token. `public_half` has a spec (else Error{config,
  /// "token.key_unsupported"}).
  TokenKey(std::shared_ptr<TokenCore> core, KeyUri uri, crypto::PublicKey public_half);
  ~TokenKey() override;  ///< gives up the session copy
  TokenKey(const TokenKey&) = delete;
  TokenKey& operator=(const TokenKey&) = delete;
  TokenKey(TokenKey&&) = delete;
  TokenKey& operator=(TokenKey&&) = delete;

  [[nodiscard]] KeyKind kind() const noexcept override { return kind_; }
  [[nodiscard]] const crypto::PublicKey& public_key() const noexcept override {
    return public_half_;
  }

  [[nodiscard]] std::size_t longest_signature() const noexcept override;

  /// Whether a trouble is an event, or only thrown: whoever asks for a key says it himself.
  enum class Events { told, none };
  /// Looks for it now, unless it is known where it is: each time it is found it signs a text of
  /// ours, and the signature is verified. Throws as Token::key, and Error{token,
  /// "token.key_changed"} for another public half, and what check_may_be_used() does.
  void find(Events events) const;
  /// Likewise, in that attachment. Throws as find().
  void find_in(const std::shared_ptr<Attachment>& attached) const {
    static_cast<void>(handle_in(attached, Events::told));
  }

  /// One C_SignInit and one C_Sign over `input` (a hash, DigestInfo or message, as the mechanism
  /// wants it). ECDSA comes back as DER. A failure that another session may not have is tried once
  /// more on a new one, then once with the next attachment. Throws Error{token}, also with the
  /// ids of find(), and Error{busy}.
  [[nodiscard]] Bytes sign(SignMechanism& mechanism, ByteView input) const override;

  [[nodiscard]] const KeyUri& uri() const noexcept { return uri_; }
  [[nodiscard]] KeyReport report() const;
  /// Token::distrust: found again at its next use. Another login is taken once a minute at most:
  /// one key's trouble must not stop the others.
  void distrust() const noexcept;
  /// Of whoever verifies each signature: this one was wrong. distrust(); after three in a row, over
  /// a second at least, the key rests as one that fails does, and the report has `why`.
  void note_wrong(const Error& why) const;
  void note_right() const noexcept;
  /// Of whoever signs with it otherwise: what sign() makes of its own. It failed last in `in`: the
  /// key does not rest for what that one, lost by now, said of it.
  void note_failure(const TokenError& error, Attachment& in) const;
  void note_success() const noexcept;
  /// Looks for it if it cannot be used, and its rest is over: a key that nobody asks for, because
  /// it was refused, is found again so. Whatever comes of it is in the report.
  void find_if_due() const noexcept;
  /// What one trial calls, in the attachment that it is given: with find_for_trial().
  using Trial = std::function<Bytes(const std::shared_ptr<Attachment>&)>;
  /// While the key rests because its signatures failed: about every two seconds, and by one thread
  /// at a time, `trial` signs once, and recovery is not told what comes of it. Its success ends the
  /// rest; otherwise throws why the key rests, for as long as it would have. Empty: none is due.
  [[nodiscard]] std::optional<Bytes> try_if_due(const Trial& trial) const;
  /// As find_in(), but for the caller alone, and without waiting for others. Throws as find(), and
  /// Error{busy}.
  [[nodiscard]] CK_OBJECT_HANDLE find_for_trial(const std::shared_ptr<Attachment>& attached) const;
  /// How often it was: whoever else knows its place in the token must not trust that either.
  [[nodiscard]] std::uint64_t doubts() const noexcept { return doubts_.load(); }

 private:
  static constexpr std::chrono::seconds kBetweenTrials{2};
  /// Where it was found; worth nothing in another attachment.
  struct Place {
    std::weak_ptr<Attachment> attachment{};
    std::uint64_t epoch = 0;
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE copy = CK_INVALID_HANDLE;  ///< in the login session, or the same
    bool proven = false;                        ///< its signature was verified
  };
  /// Why it was not found, for the moment.
  struct Missing {
    Error why;
    std::uint64_t epoch;
    std::chrono::steady_clock::time_point until;
    std::optional<std::chrono::steady_clock::time_point> next_trial{};  ///< if it may be tried
  };
  /// What the token answered to a look.
  struct InVain {
    Error why;
    std::uint64_t epoch;
  };
  /// The right to make one.
  struct DueTrial {
    std::shared_ptr<Attachment> attached;
    Error why;  ///< the key rests
  };
  using Looking = std::unique_ptr<const TokenKey, void (*)(const TokenKey*)>;
  struct Attempt;

  [[nodiscard]] CK_OBJECT_HANDLE handle_in(const std::shared_ptr<Attachment>& attached,
                                           Events events) const;
  [[nodiscard]] std::optional<CK_OBJECT_HANDLE> known_in(const Attachment& attached) const;
  [[nodiscard]] bool ready_in(const Attachment& attached) const;
  [[nodiscard]] Place look_for(const std::shared_ptr<Attachment>& attached) const;
  [[nodiscard]] Place placed_in(const std::shared_ptr<Attachment>& attached) const;
  [[nodiscard]] std::optional<DueTrial> begin_trial() const;
  void end_trial() const noexcept;
  void end_rest(const Attachment& attached) const;
  void try_proof() const;
  [[nodiscard]] Looking look_begins() const noexcept;
  void note_looking(bool begins) const noexcept;
  void note_attributes(const std::optional<KeyAttributes>& attributes) const;
  [[nodiscard]] CK_OBJECT_HANDLE find_and_prove(const std::shared_ptr<Attachment>& attached) const;
  void note_in_vain(const Error& why, const Attachment& attached) const;
  void note_found() const noexcept;
  void note_missing(const Error& why, const Attachment& attached) const;
  void prove(Attachment& attached, CK_OBJECT_HANDLE key) const;
  [[nodiscard]] Attempt attempt(Attachment& attached, CK_OBJECT_HANDLE key,
                                SignMechanism& mechanism, ByteView input) const;
  void tell(const std::string& trouble) const;
  void rest(const Error& why, KeyFailures& failures) const;
  void rest_in(std::uint64_t epoch, const Error& why, KeyFailures& failures) const;
  void doubt_place() const noexcept;
  [[nodiscard]] Bytes sign_with(Attachment& attached, CK_OBJECT_HANDLE key,
                                SignMechanism& mechanism, ByteView input) const;

  const std::shared_ptr<TokenCore> core_;
  const KeyUri uri_;
  const crypto::PublicKey public_half_;
  const KeyKind kind_;
  mutable std::binary_semaphore looking_{1};  ///< of whoever looks for it
  mutable std::atomic<std::uint64_t> doubts_{0};
  mutable std::atomic<bool> failing_{false};      ///< failures_ has some
  mutable std::atomic<bool> signs_wrong_{false};  ///< wrong_ has some
  mutable std::mutex mutex_;  ///< guards what follows; not held across a call to the token
  mutable Place place_;
  mutable std::optional<KeyAttributes> attributes_{};  ///< read when it was last looked for
  mutable std::string told_;  ///< the trouble that was told last; empty: none
  mutable std::optional<std::chrono::steady_clock::time_point> looks_since_;
  mutable std::optional<Missing> missing_;
  mutable std::optional<InVain> in_vain_;               ///< the last look, since it was last found
  mutable bool ever_found_ = false;                     ///< and proven
  mutable bool trying_ = false;                         ///< a trial is on
  mutable CK_OBJECT_HANDLE tried_ = CK_INVALID_HANDLE;  ///< in the last one
  mutable bool proof_ended_ = false;   ///< the last rest: nothing was signed for others since
  mutable bool proof_misled_ = false;  ///< and what others then asked for failed
  mutable KeyFailures failures_;       ///< to sign
  mutable KeyFailures wrong_;          ///< signatures that did not verify
  mutable std::chrono::steady_clock::time_point next_distrust_{};
  mutable std::chrono::steady_clock::time_point next_doubt_{};
};

}  // namespace estia::hsm
