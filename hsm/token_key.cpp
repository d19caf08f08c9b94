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
  const Looking looks = look_begins();
  try {
    const CK_OBJECT_HANDLE copy = find_and_prove(attached);
    tell("");
    return copy;
  } catch (const TokenError& error) {
    note_in_vain(error, *attached);
    throw;  // the token's trouble, not the key's
  } catch (const Error& error) {
    if (error.code() != ErrorCode::busy) {
      if (!attached->login().logged_in()) {  // private keys are not shown then
        throw token_error(CKR_USER_NOT_LOGGED_IN, error.id());
      }
      note_missing(error, *attached);
      if (events == Events::told) {
        tell(error.id());
      }
    }
    throw;
  }
}

CK_OBJECT_HANDLE TokenKey::find_and_prove(const std::shared_ptr<Attachment>& attached) const {
  Place place = placed_in(attached);
  prove(*attached, place.copy);
  const std::scoped_lock lock(mutex_);
  place.proven = true;
  place_ = place;
  missing_.reset();
  note_found();
  return place.copy;
}

/// Where it was found is kept while it is not proven, or each attempt would leave a copy behind.
TokenKey::Place TokenKey::placed_in(const std::shared_ptr<Attachment>& attached) const {
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
  return place;
}

/// A handle, a label and an id may come to name another key; its public half does not.
TokenKey::Place TokenKey::look_for(const std::shared_ptr<Attachment>& attached) const {
  note_attributes(std::nullopt);
  Place place{.attachment = attached, .epoch = attached->epoch()};
  check_is_token(uri_, attached->slot().token);
  with_session(*attached, SessionKind::read_only, [&](CK_SESSION_HANDLE session) {
    const Objects objects(attached->module(), session);
    const KeyPair pair = find_pair(objects, uri_);
    const crypto::PublicKey found = objects.public_key(pair.public_object);
    const auto attributes =
        found.spec() ? std::optional(read_attributes(objects, pair)) : std::nullopt;
    note_attributes(attributes);  // of a key that is refused, too: they say why
    if (!attributes || !(found == public_half_)) {
      throw token_unavailable("token.key_changed",
                              "the token has another key of that name: " + uri_.text());
    }
    check_may_be_used(*attributes, uri_);
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
  std::shared_ptr<Attachment> last;
  try {
    const auto trial = [&](const std::shared_ptr<Attachment>& attached) {
      return sign_with(*attached, find_for_trial(attached), mechanism, input);
    };
    if (auto tried = try_if_due(std::cref(trial))) {
      return std::move(*tried);
    }
    Bytes signature = with_recovery(*core_, [&](const std::shared_ptr<Attachment>& attached) {
      last = attached;
      return sign_with(*attached, handle_in(attached, Events::told), mechanism, input);
    });
    note_success();
    return signature;
  } catch (const TokenError& error) {
    note_failure(error, *last);
    throw;
  } catch (const Error& error) {
    throw refusal_to_sign(error);
  }
}

Bytes TokenKey::sign_with(Attachment& attached, CK_OBJECT_HANDLE key, SignMechanism& mechanism,
                          ByteView input) const {
  const Attempt made = attempt(attached, key, mechanism, input);
  if (made.outcome.rv != CKR_OK) {
    throw token_error(made.outcome.rv, made.outcome.function);
  }
  return encoded_signature(public_half_, made.signature);
}

}  // namespace estia::hsm
