// SPDX-License-Identifier: Apache-2.0
// What operators and listeners have of a Recovery.
#include <string>
#include <utility>

#include "hsm/recovery.h"

namespace estia::hsm {

void Recovery::activate(std::optional<Secret> pin) {
  if (pin && !config_.pin.held) {
    throw Error(ErrorCode::conflict, "token.pin_not_taken",
                "this token's PIN is read from where its configuration says");
  }
  Lock lock(mutex_);
  // An attempt that is going on may end in a refusal, and is none of this order's.
  if (!changed_.wait_for(lock, config_.session_wait, [&] { return !climbing_; })) {
    throw token_unavailable("token.recovering", "an attempt is going on");
  }
  if (phase_ == Phase::attached) {
    if (pin) {
      throw Error(ErrorCode::conflict, "token.pin_not_needed",
                  "the token is attached: this PIN was not tried, and is not kept");
    }
    login_.marker().clear(current_->slot().token.serial);
    return;
  }
  if (pin) {
    config_.pin.held->take(std::move(*pin));
  } else if (config_.pin.held) {
    static_cast<void>(config_.pin.held->read());  // one that was refused is not forgotten in vain
  }
  const std::uint64_t before = attempts_;
  told_.clear();
  wanted_ = Remedy::restart_module;
  orders_ = Logins::Orders::try_pin;
  next_attempt_ = {};
  changed_.notify_all();
  const bool ended =
      changed_.wait_for(lock, config_.session_wait, [&] { return attempts_ > before; });
  if (phase_ != Phase::attached) {
    // The operator is told what happened, not what clients are.
    throw ended && why_ ? Error(why_->code(), why_->id(), why_->detail())
                        : token_unavailable("token.recovering", "it is being recovered");
  }
}

TokenStatus Recovery::status() const {
  const Lock lock(mutex_);
  TokenStatus status{.label = config_.label, .serial = config_.serial};
  status.present = phase_ == Phase::refused;  // no PIN is refused by a token that is not there
  status.state = phase_ == Phase::attached     ? TokenState::attached
                 : phase_ == Phase::recovering ? TokenState::recovering
                 : phase_ == Phase::refused    ? refused_state()
                                               : TokenState::away;
  status.why = why_ && phase_ != Phase::attached ? why_->id() + " " + why_->detail() : "";
  status.new_sessions = new_sessions_;
  status.logins = logins_;
  status.restarts = restarts_;
  return status;
}

TokenState Recovery::refused_state() const {
  return why_ && why_->id() == "token.pin_awaited" ? TokenState::pin_awaited
                                                   : TokenState::pin_refused;
}

void Recovery::tell_key(TokenEvent::What what, const std::string& detail) const noexcept {
  const Lock lock(mutex_);
  tell(what, detail);
}

void Recovery::tell(TokenEvent::What what, const std::string& detail) const noexcept {
  try {
    if (config_.on_event && !stop_) {  // who listens may be gone after stop()
      config_.on_event({what, detail});
    }
  } catch (const std::exception&) {
    // Whoever listens has its own trouble.
  }
}

}  // namespace estia::hsm
