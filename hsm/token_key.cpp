// SPDX-License-Identifier: Apache-2.0
#include "hsm/token_key.h"

#include <array>
#include <memory>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/ckr.h"
#include "hsm/key_proof.h"
#include "hsm/key_signature.h"
#include "hsm/key_store.h"
#include "hsm/objects.h"
#include "hsm/token_core.h"
#include "hsm/turn.h"
#include "hsm/with_session.h"

namespace estia::hsm {
namespace {

constexpr std::chrono::seconds kLookingLimit{5};
/// A key that is not there is not looked for with every request.
constexpr std::chrono::seconds kMissingFor{1};
/// Whoever needs it is not served meanwhile.
constexpr std::chrono::seconds kSilent{2};
/// Looking again leaves a copy in the login session behind.
constexpr std::chrono::seconds kBetweenDoubts{60};

/// First rung only: a wrong mechanism or key stays wrong.
bool worth_another_session(const SignOutcome& outcome) {
  return outcome.before_signing && classify(outcome.rv) != Fault::configuration;
}

}  // namespace

struct TokenKey::Attempt {
  SignOutcome outcome;
  ByteView signature{};  ///< in the thread's buffer
};

TokenKey::TokenKey(std::shared_ptr<TokenCore> core, KeyUri uri, crypto::PublicKey public_half)
    : core_(std::move(core)),
      uri_(std::move(uri)),
      public_half_(std::move(public_half)),
      kind_(kind_of(public_half_)) {}

TokenKey::~TokenKey() {
  const std::shared_ptr<Attachment> attached = place_.attachment.lock();
  if (attached && place_.copy != place_.object) {
    const ErrorQueueGuard queue;
    attached->login().destroy(place_.copy);
  }
}

void TokenKey::find(Events events) const {
  with_recovery(*core_, [&](const std::shared_ptr<Attachment>& attached) {
    static_cast<void>(handle_in(attached, events));
  });
}

std::optional<CK_OBJECT_HANDLE> TokenKey::known_in(const Attachment& attached) const {
  const std::scoped_lock lock(mutex_);
  if (place_.epoch == attached.epoch() && place_.proven) {
    return place_.copy;
  }
  if (missing_ && missing_->epoch == attached.epoch() &&
      std::chrono::steady_clock::now() < missing_->until) {
    throw unshared(missing_->why);
  }
  return std::nullopt;
}

/// One thread looks, the others wait for what it finds.
CK_OBJECT_HANDLE TokenKey::handle_in(const std::shared_ptr<Attachment>& attached,
                                     Events events) const {
  if (const auto known = known_in(*attached)) {
    return *known;
  }
  const Turn looking(looking_, kLookingLimit);
  if (!looking.mine()) {
    throw Error(ErrorCode::busy, "token.sessions_exhausted", "the token is busy, try again later",
                "a key is being looked for");
  }
  if (const auto known = known_in(*attached)) {
    return *known;
  }
  const RunningCalls::Call call(attached->calls(), RunningCalls::Kind::blocking);
  note_looking(true);
  const std::unique_ptr<const TokenKey, void (*)(const TokenKey*)> looked(
      this, [](const TokenKey* key) { key->note_looking(false); });
  try {
    const CK_OBJECT_HANDLE copy = find_and_prove(attached);
    tell("");
    return copy;
  } catch (const TokenError&) {
    throw;  // the token's trouble, not the key's
  } catch (const Error& error) {
    if (error.code() != ErrorCode::busy) {
      note_missing(error, *attached);
      if (events == Events::told) {
        tell(error.id());
      }
    }
    throw;
  }
}

/// Where it was found is kept while it is not proven, or each attempt would leave a copy behind.
CK_OBJECT_HANDLE TokenKey::find_and_prove(const std::shared_ptr<Attachment>& attached) const {
  Place place;
  {
    const std::scoped_lock lock(mutex_);
    place = place_;
  }
  if (place.epoch != attached->epoch()) {
    place = look_for(attached);
    const std::scoped_lock lock(mutex_);
    place_ = place;
  }
  prove(*attached, place.copy);
  const std::scoped_lock lock(mutex_);
  place.proven = true;
  place_ = place;
  missing_.reset();
  return place.copy;
}

/// What it says of the key is of another one, unless it is only not proven: then it is found anew
/// once a minute.
void TokenKey::note_missing(const Error& why, const Attachment& attached) const {
  const auto now = std::chrono::steady_clock::now();
  const std::scoped_lock lock(mutex_);
  const bool found = place_.epoch == attached.epoch();
  if (!found || now >= next_doubt_) {
    next_doubt_ = found ? now + kBetweenDoubts : next_doubt_;
    place_ = Place();
  }
  missing_ = Missing{unshared(why), attached.epoch(), now + kMissingFor};
}

/// Each trouble once, and its end.
void TokenKey::tell(const std::string& trouble) const {
  {
    const std::scoped_lock lock(mutex_);
    if (told_ == trouble) {
      return;
    }
    told_ = trouble;
  }
  core_->recovery().tell_key(
      trouble.empty() ? TokenEvent::What::key_found : TokenEvent::What::key_refused,
      trouble + (trouble.empty() ? "" : " ") + uri_.text());
}

void TokenKey::note_looking(bool begins) const noexcept {
  const std::scoped_lock lock(mutex_);
  looks_since_ = begins ? std::optional(std::chrono::steady_clock::now()) : std::nullopt;
}

void TokenKey::note_attributes(const std::optional<KeyAttributes>& attributes) const {
  const std::scoped_lock lock(mutex_);
  attributes_ = attributes;
}

/// A handle, a label and an id may come to name another key; its public half does not.
TokenKey::Place TokenKey::look_for(const std::shared_ptr<Attachment>& attached) const {
  note_attributes(std::nullopt);
  Place place{.attachment = attached, .epoch = attached->epoch()};
  check_is_token(uri_, attached->slot().token);
  with_session(*attached, SessionKind::read_only, [&](CK_SESSION_HANDLE session) {
    const Objects objects(attached->module(), session);
    const KeyPair pair = find_pair(objects, uri_);
    if (!(objects.public_key(pair.public_object) == public_half_)) {
      throw token_unavailable("token.key_changed",
                              "the token has another key of that name: " + uri_.text());
    }
    const KeyAttributes attributes = read_attributes(objects, pair);
    note_attributes(attributes);  // of a key that is refused, too: they say why
    if (attributes.extractable || !attributes.sensitive) {
      throw token_unavailable("token.key_extractable",
                              "a key that can leave the token is not used: " + uri_.text());
    }
    place.object = pair.private_object;
  });
  place.copy = attached->login().copy_or_same(place.object);
  return place;
}

/// A public object may lie beside another private key, and a copy may be of another one.
void TokenKey::prove(Attachment& attached, CK_OBJECT_HANDLE key) const {
  ProofText text(kind_);
  const Attempt made = attempt(attached, key, text.mechanism(), text.input());
  if (made.outcome.rv != CKR_OK) {
    const TokenError error = token_error(made.outcome.rv, made.outcome.function);
    if (error.fault() != Fault::configuration) {
      throw error;
    }
    attached.statistics().failed(error.rv());
    throw token_unavailable(error.id(), error.detail());  // it is the key's trouble
  }
  if (!text.proves(public_half_, made.signature)) {
    throw key_mismatch(uri_.text());
  }
}

std::size_t TokenKey::longest_signature() const noexcept {
  const std::size_t integer = public_half_.spec()->bits / 8U + 1;  // with room for a sign octet
  const std::size_t integers = 2 * (2 + integer);
  switch (kind_) {
    case KeyKind::ec:
      return integers + (integers > 127 ? 3 : 2);
    case KeyKind::ed25519:
      return 64;
    case KeyKind::rsa:
      break;
  }
  return (public_half_.spec()->bits + 7U) / 8U;
}

/// In one attachment: in a session, then in a new one where that may help.
TokenKey::Attempt TokenKey::attempt(Attachment& attached, CK_OBJECT_HANDLE key,
                                    SignMechanism& mechanism, ByteView input) const {
  // Of the thread: nobody else ever writes to it, also not a call that returns too late.
  static thread_local std::array<std::uint8_t, kLongestRawSignature> buffer;
  const Module::Use in_use(attached.module(), attached.generation());
  SessionPool::Lease lease = attached.pool().borrow();
  for (bool last_try = false;; last_try = true) {
    const auto began = std::chrono::steady_clock::now();
    const SignOutcome outcome =
        sign_once(attached.module(), lease.handle(), key, mechanism, input, buffer);
    if (outcome.rv == CKR_OK && outcome.size <= buffer.size()) {
      attached.statistics().signed_in(std::chrono::steady_clock::now() - began);
      return {outcome, {buffer.data(), outcome.size}};
    }
    lease.mark_broken();
    if (last_try || !worth_another_session(outcome)) {
      return {outcome};
    }
    attached.statistics().failed(outcome.rv);
    core_->recovery().count_new_session();
    lease.renew();
  }
}

Bytes TokenKey::sign(SignMechanism& mechanism, ByteView input) const {
  const ErrorQueueGuard queue;
  try {
    Bytes signature = sign_or_recover(mechanism, input);
    note_success();
    return signature;
  } catch (const TokenError& error) {
    note_failure(error);
    throw;
  } catch (const Error& error) {
    throw refusal_to_sign(error);
  }
}

void TokenKey::note_success() const noexcept {
  if (failing_.load(std::memory_order_relaxed)) {
    const std::scoped_lock lock(mutex_);
    failures_ = {};
    failing_.store(false);
  }
}

void TokenKey::note_failure(const TokenError& error) const {
  // A token that is full for a while is not the key's trouble; one that is full for ever is.
  constexpr std::chrono::seconds kFull{10};
  const bool full = remedy(error.fault()) == Remedy::wait;
  bool too_many = false;
  {
    const std::scoped_lock lock(mutex_);
    too_many = full ? failures_.add(kFull) : failures_.add();
    failing_.store(true);
  }
  if (too_many || another_attachment_may_do(error.fault())) {
    rest(error, failures_);  // in two attachments
  } else if (error.fault() == Fault::configuration || error.fault() == Fault::unknown) {
    doubt_place();
  }
}

/// Some tokens say so of a handle that names another kind of object by now.
void TokenKey::doubt_place() const noexcept {
  const auto now = std::chrono::steady_clock::now();
  const std::scoped_lock lock(mutex_);
  if (now >= next_doubt_) {
    next_doubt_ = now + kBetweenDoubts;
    place_ = Place();
    ++doubts_;
  }
}

/// A key of which the token says what it says of a lost one must not have it recovered with every
/// request: other keys wait meanwhile. Once its rest is over it must prove itself.
void TokenKey::rest(const Error& why, KeyFailures& failures) const {
  const std::shared_ptr<Attachment> attached = core_->recovery().attachment_now();
  if (!attached) {
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  {
    const std::scoped_lock lock(mutex_);
    if (missing_ && missing_->epoch == attached->epoch() && now < missing_->until) {
      return;  // others failed at the same time
    }
    const auto pause = failures.next_rest(kMissingFor);
    ++doubts_;
    place_ = Place();
    missing_ = Missing{unshared(why), attached->epoch(), now + pause};
  }
  tell(why.id());
}

/// In one attempt: health must not wait for whoever else looks, nor for a recovery.
void TokenKey::find_if_due() const noexcept {
  try {
    const std::shared_ptr<Attachment> attached = core_->recovery().attachment_now();
    if (!attached || ready_in(*attached) || !Turn(looking_, std::chrono::milliseconds(0)).mine()) {
      return;
    }
    try {
      find_in(attached);
    } catch (const TokenError& error) {
      core_->recovery().report(*attached, error.fault());
      note_failure(error);
    }
  } catch (const std::exception&) {
    // In the report.
  }
}

bool TokenKey::ready_in(const Attachment& attached) const {
  const std::scoped_lock lock(mutex_);
  return place_.epoch == attached.epoch() && place_.proven;
}

KeyReport TokenKey::report() const {
  const std::shared_ptr<Attachment> attached = core_->recovery().attachment_now();
  KeyReport report{.uri = uri_.text(),
                   .kind = public_half_.spec()->name,
                   .fingerprint = public_half_.fingerprint()};
  const std::scoped_lock lock(mutex_);
  report.ready = attached && place_.epoch == attached->epoch() && place_.proven;
  report.attributes = attributes_;
  const bool silent = looks_since_ && std::chrono::steady_clock::now() > *looks_since_ + kSilent;
  report.refused = attached && (silent || (missing_ && missing_->epoch == attached->epoch()));
  if (!report.ready) {
    report.why = !attached ? "the token is not attached"
                 : silent  ? "token.no_answer it is still being looked for"
                 : missing_ && missing_->epoch == attached->epoch()
                     ? missing_->why.id() + " " + missing_->why.detail()
                 : place_.epoch == attached->epoch() ? "found, and not proven yet"
                                                     : "not looked for since the last login";
  }
  return report;
}

/// The copy is left to the next login: its handle, too, may name somebody else's object by now.
void TokenKey::distrust() const noexcept {
  constexpr std::chrono::seconds kBetweenLogins{60};
  ++doubts_;
  const std::shared_ptr<Attachment> attached = core_->recovery().attachment_now();
  if (!attached) {
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    place_ = Place();
    const auto now = std::chrono::steady_clock::now();
    if (now < next_distrust_) {
      return;
    }
    next_distrust_ = now + kBetweenLogins;
  }
  core_->recovery().report(*attached, Fault::stale_handle);
}

/// Each time it was found it had proven itself: what is asked for otherwise may come out wrong all
/// the same.
void TokenKey::note_wrong(const Error& why) const {
  distrust();
  bool too_many = false;
  {
    const std::scoped_lock lock(mutex_);
    too_many = wrong_.add();
    signs_wrong_.store(true);
  }
  if (too_many) {
    rest(why, wrong_);
  }
}

void TokenKey::note_right() const noexcept {
  if (signs_wrong_.load(std::memory_order_relaxed)) {
    const std::scoped_lock lock(mutex_);
    wrong_ = {};
    signs_wrong_.store(false);
  }
}

Bytes TokenKey::sign_or_recover(SignMechanism& mechanism, ByteView input) const {
  return with_recovery(*core_, [&](const std::shared_ptr<Attachment>& attached) {
    const Attempt made = attempt(*attached, handle_in(attached, Events::told), mechanism, input);
    if (made.outcome.rv != CKR_OK) {
      throw token_error(made.outcome.rv, made.outcome.function);
    }
    return encoded_signature(public_half_, made.signature);
  });
}

}  // namespace estia::hsm
