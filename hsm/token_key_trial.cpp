// SPDX-License-Identifier: Apache-2.0
// Trials of a key that rests: its token may be well again long before the rest is over, and what
// the rest keeps from happening again (a login, a restart of the module) a trial does not cause.
#include <utility>

#include "crypto/base/error.h"
#include "hsm/token_core.h"
#include "hsm/token_key.h"
#include "hsm/turn.h"
#include "hsm/with_session.h"

namespace estia::hsm {

std::optional<Bytes> TokenKey::try_if_due(const Trial& trial) const {
  const std::optional<DueTrial> due = begin_trial();
  if (!due) {
    return std::nullopt;
  }
  const std::unique_ptr<const TokenKey, void (*)(const TokenKey*)> tried(
      this, [](const TokenKey* key) { key->end_trial(); });
  try {
    Bytes signature = trial(due->attached);
    end_rest(*due->attached);
    note_success();
    core_->recovery().report_success();
    return signature;
  } catch (const TokenError& error) {
    due->attached->statistics().failed(error.rv());
  } catch (const Error&) {
    // Said when it is looked for after the rest.
  }
  throw unshared(due->why);
}

/// A proof is not all that others ask for: if that fails after a proof has ended the rest, none
/// ends another one until something was signed.
void TokenKey::try_proof() const {
  {
    const std::scoped_lock lock(mutex_);
    if (proof_misled_) {
      return;
    }
  }
  const std::optional<DueTrial> due = begin_trial();
  if (!due) {
    return;
  }
  const std::unique_ptr<const TokenKey, void (*)(const TokenKey*)> tried(
      this, [](const TokenKey* key) { key->end_trial(); });
  try {
    static_cast<void>(find_for_trial(due->attached));
    end_rest(*due->attached);
    const std::scoped_lock lock(mutex_);
    proof_ended_ = true;
  } catch (const TokenError& error) {
    due->attached->statistics().failed(error.rv());
  }
}

/// A trial that hangs keeps further ones out.
std::optional<TokenKey::DueTrial> TokenKey::begin_trial() const {
  if (!failing_.load(std::memory_order_relaxed)) {
    return std::nullopt;
  }
  std::shared_ptr<Attachment> attached = core_->recovery().attachment_now();
  const auto now = std::chrono::steady_clock::now();
  const std::scoped_lock lock(mutex_);
  if (!attached || trying_ || !missing_ || missing_->epoch != attached->epoch() ||
      now >= missing_->until || !missing_->next_trial || now < *missing_->next_trial) {
    return std::nullopt;
  }
  DueTrial due{std::move(attached), unshared(missing_->why)};
  trying_ = true;
  return due;
}

void TokenKey::end_trial() const noexcept {
  const std::scoped_lock lock(mutex_);
  trying_ = false;
  if (missing_ && missing_->next_trial) {
    missing_->next_trial = std::chrono::steady_clock::now() + kBetweenTrials;
  }
}

void TokenKey::end_rest(const Attachment& attached) const {
  {
    const std::scoped_lock lock(mutex_);
    place_.proven = place_.epoch == attached.epoch() && place_.copy == tried_;
    missing_.reset();
    note_found();
  }
  tell("");
}

/// Others are let in when all of the trial went well.
CK_OBJECT_HANDLE TokenKey::find_for_trial(const std::shared_ptr<Attachment>& attached) const {
  const Turn looking(looking_, std::chrono::milliseconds(0));
  if (!looking.mine()) {
    throw Error(ErrorCode::busy, "token.sessions_exhausted", "the token is busy, try again later",
                "a key is being looked for");
  }
  const RunningCalls::Call call(attached->calls(), RunningCalls::Kind::blocking);
  const Looking looks = look_begins();
  const Place place = placed_in(attached);
  prove(*attached, place.copy);
  const std::scoped_lock lock(mutex_);
  tried_ = place.copy;
  return place.copy;
}

}  // namespace estia::hsm
