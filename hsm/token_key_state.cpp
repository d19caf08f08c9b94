// SPDX-License-Identifier: Apache-2.0
// What is known of a key: whether it can be used, what went wrong with it, and how long it rests.
#include "hsm/token_key.h"

#include <utility>

#include "crypto/base/error.h"
#include "hsm/ckr.h"
#include "hsm/token_core.h"
#include "hsm/turn.h"
#include "hsm/with_session.h"

namespace estia::hsm {
namespace {

/// A key that is not there is not looked for with every request.
constexpr std::chrono::seconds kMissingFor{1};
/// Whoever needs it is not served meanwhile.
constexpr std::chrono::seconds kSilent{2};
/// Looking again leaves a copy in the login session behind.
constexpr std::chrono::seconds kBetweenDoubts{60};

}  // namespace

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

void TokenKey::note_in_vain(const Error& why, const Attachment& attached) const {
  const std::scoped_lock lock(mutex_);
  in_vain_ = InVain{unshared(why), attached.epoch()};
}

/// Under the lock.
void TokenKey::note_found() const noexcept {
  in_vain_.reset();
  ever_found_ = true;
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

TokenKey::Looking TokenKey::look_begins() const noexcept {
  note_looking(true);
  return {this, [](const TokenKey* key) { key->note_looking(false); }};
}

void TokenKey::note_attributes(const std::optional<KeyAttributes>& attributes) const {
  const std::scoped_lock lock(mutex_);
  attributes_ = attributes;
}

void TokenKey::note_success() const noexcept {
  if (failing_.load(std::memory_order_relaxed)) {
    const std::scoped_lock lock(mutex_);
    failures_ = {};
    proof_ended_ = false;
    proof_misled_ = false;
    failing_.store(false);
  }
}

void TokenKey::note_failure(const TokenError& error, Attachment& in) const {
  // A token that is full for a while is not the key's trouble; one that is full for ever is.
  constexpr std::chrono::seconds kFull{10};
  const bool full = remedy(error.fault()) == Remedy::wait;
  bool too_many = false;
  {
    const std::scoped_lock lock(mutex_);
    too_many = full ? failures_.add(kFull) : failures_.add();
    failing_.store(true);
  }
  const bool in_two = another_attachment_may_do(error.fault());
  const bool lost_again = in_two && !in.login().logged_in();
  if (lost_again) {
    core_->recovery().report(in, error.fault());
    if (too_many) {
      rest_in(in.epoch() + 1, error, failures_);  // in this one nobody signs any more
    }
  } else if (too_many || in_two) {
    rest(error, failures_);
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
  if (const std::shared_ptr<Attachment> attached = core_->recovery().attachment_now()) {
    rest_in(attached->epoch(), why, failures);
  }
}

void TokenKey::rest_in(std::uint64_t epoch, const Error& why, KeyFailures& failures) const {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::scoped_lock lock(mutex_);
    if (missing_ && missing_->epoch == epoch && now < missing_->until) {
      return;  // others failed at the same time
    }
    const auto pause = failures.next_rest(kMissingFor);
    ++doubts_;
    place_ = Place();
    missing_ = Missing{unshared(why), epoch, now + pause};
    if (&failures == &failures_) {  // a wrong signature is found out too late for a trial
      missing_->next_trial = now + kBetweenTrials;
      proof_misled_ = proof_misled_ || std::exchange(proof_ended_, false);
    }
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
      try_proof();
      find_in(attached);
    } catch (const TokenError& error) {
      core_->recovery().report(*attached, error.fault());
      note_failure(error, *attached);
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
  const bool missing = attached && missing_ && missing_->epoch == attached->epoch();
  // Of one that was never found nobody knows that it can be used; one that was is there again soon.
  report.refused = attached && (silent || missing || !ever_found_);
  const bool in_vain =
      attached && in_vain_ && (!ever_found_ || in_vain_->epoch == attached->epoch());
  if (!report.ready) {
    report.why = !attached ? "the token is not attached"
                 : silent  ? "token.no_answer it is still being looked for"
                 : missing ? missing_->why.id() + " " + missing_->why.detail()
                 : in_vain ? in_vain_->why.id() + " " + in_vain_->why.detail()
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

}  // namespace estia::hsm
