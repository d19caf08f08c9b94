// SPDX-License-Identifier: Apache-2.0
#include "hsm/logins.h"

#include <utility>

#include "hsm/ckr.h"

namespace estia::hsm {

bool is_refused_pin(const Error& error) {
  const auto* told = dynamic_cast<const TokenError*>(&error);
  return error.id() == "token.pin_refused" || (told != nullptr && told->fault() == Fault::pin);
}

void try_pin(const TokenConfig& config) {
  const ErrorQueueGuard queue;
  static_cast<void>(Logins(config).first(Logins::Orders::try_pin));
}

bool needs_operator(const Error& error) {
  return is_refused_pin(error) || error.id() == "token.pin_locked" ||
         error.id() == "token.pin_awaited" || error.id() == "token.pin_final_try";
}

bool counts_wrong_pins(const TokenInfo& token) noexcept {
  return token.user_pin_count_low || token.user_pin_final_try || token.user_pin_locked;
}

namespace {

Error counted(const std::string& answer) {
  return {ErrorCode::token, "token.pin_refused", "the token refuses the PIN",
          "it counts a wrong one, though the module says " + answer};
}

Error not_known(const std::string& not_noted) {
  return {ErrorCode::token, "token.pin_refused", "the token may refuse the PIN",
          "the ends of two logins in a row are not known; say estia token activate once the PIN is "
          "right" +
              not_noted};
}

}  // namespace

std::shared_ptr<Attachment> Logins::first(Orders orders) {
  module_ = Module::load(config_.module, config_.init_args);
  return log_in(orders);
}

std::shared_ptr<Attachment> Logins::after_restart(const std::shared_ptr<Attachment>& old,
                                                  Orders& orders) {
  restarted_ = false;
  if (old) {
    old->retire();
  }
  if (!module_) {
    module_ = Module::load(config_.module, config_.init_args);
    return log_in(orders);
  }
  if (old && !old->trouble_of_calls(config_).empty()) {
    throw call_is_out();  // others would follow it
  }
  const bool shared = module_->attachments() > 0;  // another token of it is well
  if (!shared && module_->generation() == seen_) {
    restart_unless_others_hang(old.get());
    return log_in(orders);
  }
  const Orders given = orders;
  try {
    return log_in(orders);
  } catch (const Error& error) {
    if (needs_operator(error) || orders != given || (shared && !may_disturb(orders))) {
      throw;
    }
  }
  restart_module();
  return log_in(orders);
}

Error Logins::call_is_out() {
  return token_unavailable("token.stuck", "a call of the module has not come back");
}

void Logins::restart_module() {
  if (!module_->restart(module_->generation(), config_.session_wait)) {
    throw call_is_out();
  }
  restarted_ = true;
}

/// Where a call of another token's holds it up, this one may do without. Nobody is kept out of the
/// module while that is found out.
void Logins::restart_unless_others_hang(const Attachment* old) {
  const bool ours = old != nullptr && old->calls_out(std::chrono::steady_clock::now()) > 0;
  if (module_->calls_come_back(config_.session_wait)) {
    restart_module();
  } else if (ours || old == nullptr) {
    throw call_is_out();
  }
}

/// Some modules show a token that is back only after a restart, which costs their other tokens a
/// login each; and all that a long call of theirs would cost them, so that it is not begun then.
bool Logins::may_disturb(Orders orders) {
  constexpr std::chrono::seconds kBetween{30};
  constexpr std::chrono::seconds kLongCall{1};
  const auto now = std::chrono::steady_clock::now();
  if (orders != Orders::try_pin && now < next_disturbance_) {
    return false;
  }
  if (!module_->calls_come_back(kLongCall)) {
    return false;
  }
  next_disturbance_ = now + kBetween;
  return true;
}

std::shared_ptr<Attachment> Logins::log_in(Orders& orders, const std::shared_ptr<Attachment>& old) {
  seen_ = module_->generation();
  const Attachment::Found found(module_, config_);
  const std::string& serial = found.token().serial;
  check_may_try(found.token(), orders);
  std::shared_ptr<Attachment> next;
  try {
    next = attach(found, old);
  } catch (const Error& error) {
    settle(serial, error, orders);
    throw;
  }
  if (orders == Orders::try_pin) {
    marker_.clear(serial);
  }
  return next;
}

/// Throws why not.
void Logins::check_may_try(const TokenInfo& token, Orders orders) const {
  if (token.user_pin_locked) {
    throw token_error(CKR_PIN_LOCKED, "C_GetTokenInfo");
  }
  if (orders == Orders::try_pin) {
    return;
  }
  if (const auto when = marker_.refused(token.serial)) {
    throw Error(ErrorCode::token, "token.pin_refused", "the token refuses the PIN",
                *when + "; say estia token activate once the PIN is right");
  }
  if (token.user_pin_final_try) {
    throw Error(ErrorCode::token, "token.pin_final_try", "the token refuses the PIN",
                "one more wrong PIN locks the token: be sure of it, then say estia token activate");
  }
  const PinMarker::End last = marker_.last_attempt(token.serial);
  const bool told = counts_wrong_pins(token);
  // A token need not tell: one that says nothing may have counted each of them.
  if (last == PinMarker::End::unknown_twice || (last != PinMarker::End::known && told)) {
    const std::string not_noted = note_refused_pin(config_.pin, marker_, token.serial);
    throw told ? counted("nothing of the last login" + not_noted) : not_known(not_noted);
  }
}

/// After an attempt that failed. A PIN that was refused in so many words was noted at once.
void Logins::settle(const std::string& serial, const Error& error, Orders& orders) const {
  if (is_refused_pin(error)) {
    return;
  }
  const auto* told = dynamic_cast<const TokenError*>(&error);
  if (told == nullptr || !told->function().starts_with("C_Login")) {
    return;  // none was made
  }
  orders = Orders::none;
  const auto flagged = says_it_counted();
  if (!flagged) {
    marker_.answer_attempt(serial);  // it says nothing now: before the next attempt
    return;
  }
  if (*flagged) {
    throw counted(error.detail() + note_refused_pin(config_.pin, marker_, serial));
  }
  marker_.end_attempt();
}

/// Whether a login that failed otherwise may have been a wrong PIN to the token: the answer may
/// have been lost, and the next attempt would be counted, too. A login that succeeds takes these
/// flags away. nullopt: it does not answer.
std::optional<bool> Logins::says_it_counted() const noexcept {
  try {
    return counts_wrong_pins(Attachment::Found(module_, config_).token());
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::shared_ptr<Attachment> Logins::make(const Attachment::Found& found) {
  std::erase_if(made_, [](const auto& attachment) { return attachment.expired(); });
  auto next = Attachment::make(found, config_, ++epoch_, statistics_, made_);
  made_.push_back(next);
  return next;
}

std::shared_ptr<Attachment> Logins::attach(const Attachment::Found& found,
                                           const std::shared_ptr<Attachment>& old) {
  if (!old) {
    return make(found);
  }
  old->pool().close();  // the token may have none to spare
  std::shared_ptr<Attachment> next;
  try {
    next = make(found);
  } catch (const TokenError& error) {
    const bool opening = error.function().starts_with("C_OpenSession");
    if (!opening || (error.rv() != CKR_SESSION_COUNT && error.rv() != CKR_SESSION_HANDLE_INVALID)) {
      throw;
    }
    old->retire();  // it has one session in all, or has dropped that one and gives its number
    return make(found);
  }
  old->retire();
  return next;
}

void Logins::count(const Error& error) const noexcept {
  if (const auto* told = dynamic_cast<const TokenError*>(&error)) {
    statistics_->failed(told->rv());
  }
}

}  // namespace estia::hsm
