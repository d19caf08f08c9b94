// SPDX-License-Identifier: Apache-2.0
#include "hsm/recovery.h"

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

namespace estia::hsm {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kShortestPause{100};
constexpr milliseconds kLongestPause{2000};
/// Between recoveries that succeed and do not last.
constexpr milliseconds kLongestHaste{500};
/// How often it is looked for calls that hang.
constexpr milliseconds kWatch{1000};
/// One that lasted shorter was none.
constexpr std::chrono::seconds kLasting{1};
/// So many faults in a row that the token's answers do not explain restart its module, but not more
/// often than that: a single key of which the token says nothing else must not stop the others.
constexpr unsigned kMostUnexplained = 3;
constexpr std::chrono::seconds kBetweenBlindRestarts{60};
/// Nor is it tried more often while a call is out: everybody waits for that.
constexpr std::chrono::seconds kBetweenTries{5};
/// Longer calls, of a key that is being made, are not worth cutting off for a guess.
constexpr milliseconds kSilence{1000};

/// Of an attempt to log in: a PIN that was refused has one id, whatever the module called it.
Error reason_of(const Error& error) {
  if (is_refused_pin(error) && error.id() != "token.pin_locked") {
    return {ErrorCode::token, "token.pin_refused", error.what(), error.detail()};
  }
  return error;
}

/// By a thread that may not come back either: a session is closed by a call.
void retire_apart(const std::shared_ptr<Attachment>& stuck) noexcept {
  try {
    std::thread([stuck] {
      const ErrorQueueGuard queue;
      stuck->retire();
    }).detach();
  } catch (const std::system_error&) {
    // The next attempt to recover retires it.
  }
}

/// Whether the login is gone. Where the session does not tell, the token must answer otherwise.
bool has_lost_login(Attachment& seen) noexcept {
  const LoginSession::Login told = seen.login().state();
  if (told != LoginSession::Login::unknown) {
    return told == LoginSession::Login::lost;
  }
  try {
    const Module::Use use(seen.module(), seen.generation());
    static_cast<void>(read_slot(seen.module(), seen.slot().id));
    return false;
  } catch (const std::exception&) {
    return true;
  }
}

/// At the start: not what is wrong in the configuration, unless others can be served without. A
/// second token of that label may go again.
bool is_waited_for(const Error& error, const TokenConfig& config) {
  return error.code() == ErrorCode::token || error.id() == "token.ambiguous" || config.others_serve;
}

}  // namespace

Recovery::Recovery(TokenConfig config) : config_(std::move(config)) {}

void Recovery::begin() {
  std::shared_ptr<Attachment> first = login_.first();
  const Lock lock(mutex_);
  adopt(std::move(first), Remedy::new_login);
}

void Recovery::make_first_attempt() {
  {
    const Lock lock(mutex_);
    enter_module();
  }
  std::shared_ptr<Attachment> first;
  std::optional<Error> why;
  try {
    first = login_.first();
  } catch (const Error& error) {
    why = reason_of(error);
    login_.count(error);
  } catch (const std::exception& error) {
    why = token_unavailable("token.failed", error.what());
  }
  const Lock lock(mutex_);
  climbing_ = false;
  if (first) {
    adopt(std::move(first), Remedy::new_login);
  } else if (is_waited_for(*why, config_) || attempts_ > 0) {  // or nobody waits any more
    give_up(*why);
  } else {
    fatal_ = why;
    stop_ = true;
    changed_.notify_all();
  }
}

void Recovery::await_first() {
  Lock lock(mutex_);
  const bool ended =
      changed_.wait_for(lock, config_.call_limit, [&] { return attempts_ > 0 || fatal_; });
  if (fatal_) {
    throw Error(*fatal_);
  }
  if (!ended) {
    give_up(token_unavailable("token.stuck", "the first call of the module has not come back"));
  }
}

void Recovery::run(Start start) {
  const ErrorQueueGuard queue;
  if (start == Start::later) {
    make_first_attempt();
  }
  Lock lock(mutex_);
  while (!stop_) {
    if (!wanted_ && phase_ != Phase::away) {
      changed_.wait(lock);
    } else if (Clock::now() < next_attempt_) {
      changed_.wait_until(lock, next_attempt_);
    } else {
      work(lock);
    }
  }
  --running_;
  changed_.notify_all();
}

void Recovery::watch() {
  const ErrorQueueGuard queue;
  Lock lock(mutex_);
  while (!stop_) {
    changed_.wait_for(lock, kWatch);
    give_up_if_climb_hangs();
    give_up_if_stuck();
  }
  --running_;
  changed_.notify_all();
}

bool Recovery::stop(milliseconds patience) noexcept {
  Lock lock(mutex_);
  stop_ = true;
  changed_.notify_all();
  return changed_.wait_for(lock, patience, [&] { return running_ == 0; });
}

void Recovery::work(Lock& lock) {
  const Remedy wanted = std::exchange(wanted_, std::nullopt).value_or(Remedy::restart_module);
  if (wanted == Remedy::look) {
    look(lock);
  } else {
    climb(lock, wanted);
  }
}

void Recovery::give_up_if_stuck() {
  if (phase_ != Phase::attached) {
    return;
  }
  if (const std::string trouble = current_->trouble_of_calls(config_); !trouble.empty()) {
    give_up(token_unavailable("token.stuck", trouble));
    retire_apart(current_);
  }
}

/// What the thread does once it is back is the same.
void Recovery::give_up_if_climb_hangs() {
  if (phase_ == Phase::recovering && climbing_ &&
      Clock::now() > climbs_since_ + config_.call_limit) {
    give_up(token_unavailable("token.stuck", "a login or a restart has not come back"));
  }
}

void Recovery::enter_module() {
  climbing_ = true;
  climbs_since_ = Clock::now();
}

/// After a failure that tells nothing: does the token answer otherwise?
void Recovery::look(Lock& lock) {
  const std::shared_ptr<Attachment> seen = current_;
  enter_module();
  lock.unlock();
  const bool lost = has_lost_login(*seen);
  lock.lock();
  climbing_ = false;
  if (phase_ != Phase::attached || seen != current_) {
    return;
  }
  const Clock::time_point now = Clock::now();
  const bool blind = std::max(unexplained_.load(), unwell_.load()) >= kMostUnexplained &&
                     now >= next_blind_restart_;
  if (lost) {
    tell(TokenEvent::What::lost, std::string(to_string(Fault::login_lost)));
    climb(lock, Remedy::new_login);
  } else if (blind) {
    const bool silent = falls_silent(lock);
    next_blind_restart_ = now + (silent ? kBetweenBlindRestarts : kBetweenTries);
    if (silent) {
      tell(TokenEvent::What::lost, std::string(to_string(Fault::unknown)));
      climb(lock, Remedy::restart_module);
    }
  }
}

/// Whether no call is out, once nobody begins one. If not, all goes on as before.
bool Recovery::falls_silent(Lock& lock) {
  begin_recovering();
  const std::shared_ptr<Attachment> seen = current_;
  lock.unlock();
  const bool silent = seen->module().wait_until_idle(kSilence);
  lock.lock();
  if (!silent && phase_ == Phase::recovering) {
    phase_ = Phase::attached;
    changed_.notify_all();
  }
  return silent && phase_ == Phase::recovering;
}

void Recovery::climb(Lock& lock, Remedy rung) {
  begin_recovering();  // worth waiting for; what is away is not
  enter_module();
  Logins::Orders orders = std::exchange(orders_, Logins::Orders::none);
  const std::shared_ptr<Attachment> old = current_;
  lock.unlock();
  std::shared_ptr<Attachment> next;
  std::optional<Error> why;
  Remedy reached = rung;
  try {
    if (rung == Remedy::new_login) {
      next = new_login(old, orders);
    }
    if (!next) {
      next = login_.after_restart(old, orders);
      reached = login_.restarted() ? Remedy::restart_module : Remedy::new_login;
    }
  } catch (const Error& error) {
    why = reason_of(error);
    login_.count(error);
  } catch (const std::exception& error) {
    why = token_unavailable("token.failed", error.what());
  }
  if (!next && old) {
    old->retire();
  }
  lock.lock();
  climbing_ = false;
  if (next) {
    adopt(std::move(next), reached);
  } else {
    give_up(*why);
  }
}

/// Null: it takes more than that.
std::shared_ptr<Attachment> Recovery::new_login(const std::shared_ptr<Attachment>& old,
                                                Logins::Orders& orders) {
  try {
    return login_.log_in(orders, old);
  } catch (const Error& error) {
    if (needs_operator(error)) {
      throw;
    }
    login_.count(error);
    return nullptr;
  }
}

void Recovery::adopt(std::shared_ptr<Attachment> next, Remedy rung) {
  const Clock::time_point now = Clock::now();
  const bool lasted = now >= next_attempt_ + kLasting;
  pause_ = lasted ? milliseconds(0) : std::clamp(2 * pause_, kShortestPause, kLongestHaste);
  next_attempt_ = now + pause_;  // of the next recovery
  current_ = std::move(next);
  phase_ = Phase::attached;
  wanted_.reset();
  orders_ = Logins::Orders::none;
  why_.reset();
  told_.clear();
  unexplained_ = 0;
  unwell_ = 0;
  ++attempts_;
  ++(rung == Remedy::restart_module ? restarts_ : logins_);
  changed_.notify_all();
  tell(TokenEvent::What::attached, std::string(to_string(rung)));
}

void Recovery::give_up(const Error& why) {
  const bool stop_here = needs_operator(why);
  const bool news = std::exchange(told_, why.id()) != why.id();
  pause_ = std::clamp(2 * pause_, kShortestPause, kLongestPause);
  next_attempt_ = Clock::now() + pause_;
  phase_ = stop_here ? Phase::refused : Phase::away;
  why_ = token_unavailable(
      why.id(), std::string(why.what()) + (why.detail().empty() ? "" : ": " + why.detail()));
  ++attempts_;
  changed_.notify_all();
  if (news) {
    tell(!stop_here                          ? TokenEvent::What::away
         : why_->id() == "token.pin_awaited" ? TokenEvent::What::pin_awaited
                                             : TokenEvent::What::pin_refused,
         why_->id() + " " + why_->detail());
  }
}

void Recovery::begin_recovering() {
  if (phase_ == Phase::attached) {
    phase_ = Phase::recovering;
    wait_until_ = Clock::now() + std::min(config_.session_wait, config_.recovery_wait);
  }
}

std::shared_ptr<Attachment> Recovery::attachment() {
  Lock lock(mutex_);
  if (phase_ == Phase::recovering) {
    changed_.wait_until(lock, wait_until_, [&] { return phase_ != Phase::recovering; });
  }
  if (phase_ == Phase::attached) {
    return current_;
  }
  if (why_) {
    throw unshared(*why_);
  }
  throw token_unavailable("token.recovering", "it is being recovered");
}

std::shared_ptr<Attachment> Recovery::attachment_now() const {
  const Lock lock(mutex_);
  return phase_ == Phase::attached ? current_ : nullptr;
}

std::shared_ptr<Attachment> Recovery::last_attachment() const {
  const Lock lock(mutex_);
  return current_;
}

void Recovery::report(const Attachment& seen, Fault fault) noexcept {
  const Remedy told = remedy(fault);
  const Remedy wanted = told == Remedy::new_session ? Remedy::new_login : told;
  if (wanted != Remedy::new_login && wanted != Remedy::restart_module && wanted != Remedy::look) {
    return;
  }
  const Lock lock(mutex_);
  if (phase_ != Phase::attached || current_->epoch() != seen.epoch()) {
    return;  // seen to already
  }
  if (wanted == Remedy::look) {
    ++unexplained_;
  } else {
    begin_recovering();  // nobody begins anything with it any more
    tell(TokenEvent::What::lost, std::string(to_string(fault)));
  }
  wanted_ = wanted;
  changed_.notify_all();
}

void Recovery::report_unwell(const Attachment& seen) noexcept {
  const Lock lock(mutex_);
  if (phase_ != Phase::attached || current_->epoch() != seen.epoch()) {
    return;
  }
  if (++unwell_ >= kMostUnexplained && !wanted_) {
    wanted_ = Remedy::look;
    changed_.notify_all();
  }
}

void Recovery::pin_was_refused(const Attachment& seen) noexcept {
  const Lock lock(mutex_);
  if (phase_ == Phase::attached && current_->epoch() == seen.epoch()) {
    give_up({ErrorCode::token, "token.pin_refused", "the token refuses the PIN",
             "to pkcs11-provider, whose login is its own"});
  }
}

}  // namespace estia::hsm
