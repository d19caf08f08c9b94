// SPDX-License-Identifier: Apache-2.0
#include "hsm/session_pool.h"

#include <algorithm>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/ckr.h"

namespace estia::hsm {

SessionPool::SessionPool(std::shared_ptr<const Module> module, CK_SLOT_ID slot, std::size_t cap,
                         std::size_t callers, std::chrono::milliseconds wait,
                         TokenStatistics& statistics, LoginSession& login)
    : module_(std::move(module)),
      generation_(module_->generation()),
      slot_(slot),
      wait_(wait),
      callers_(callers),
      most_(cap),
      statistics_(statistics),
      login_(login),
      cap_(cap) {
  idle_.reserve(cap);  // give_back() must not allocate
}

SessionPool::~SessionPool() {
  close();
}

void SessionPool::close() noexcept {
  std::vector<CK_SESSION_HANDLE> idle;
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    idle.swap(idle_);
    taken_ -= idle.size();
  }
  freed_.notify_all();
  for (const CK_SESSION_HANDLE handle : idle) {
    close_session(handle);
  }
}

/// In another generation the handle would be somebody else's.
void SessionPool::close_session(CK_SESSION_HANDLE handle) const noexcept {
  module_->sessions().remove(generation_, handle);
  use_if_current(*module_, generation_,
                 [&] { static_cast<void>((*module_)->C_CloseSession(handle)); });
}

SessionPool::Lease::Lease(Lease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      kind_(other.kind_),
      handle_(std::exchange(other.handle_, CK_INVALID_HANDLE)),
      broken_(other.broken_),
      of_login_(std::exchange(other.of_login_, false)),
      counted_(other.counted_),
      loan_(other.loan_) {}

SessionPool::Lease::~Lease() {
  if (pool_ == nullptr) {
    return;
  }
  if (!broken_ && !of_login_ && kind_ == SessionKind::read_only && handle_ != CK_INVALID_HANDLE &&
      pool_->give_back(*this)) {
    return;
  }
  close();
  pool_->give_up_slot(*this);
}

void SessionPool::Lease::close() noexcept {
  if (std::exchange(of_login_, false)) {
    pool_->login_.give_back();
    handle_ = CK_INVALID_HANDLE;
  }
  if (handle_ != CK_INVALID_HANDLE) {
    pool_->close_session(std::exchange(handle_, CK_INVALID_HANDLE));
  }
}

void SessionPool::Lease::keep() noexcept {
  const std::scoped_lock lock(pool_->mutex_);
  *loan_ = std::chrono::steady_clock::time_point::max();
}

/// False if it was not free until the token may be asked for one of our own.
bool SessionPool::Lease::share_login(std::chrono::steady_clock::time_point deadline) {
  const auto began = std::chrono::steady_clock::now();
  auto taken = pool_->login_.take(began);
  if (!taken) {
    const auto until = std::min(deadline, pool_->waits_for_login(loan_));
    taken = pool_->login_.take(until);
    pool_->waited_for_login(loan_);
    const bool in_vain = !taken && until == deadline;
    pool_->statistics_.waited(std::chrono::steady_clock::now() - began, in_vain);
    if (!taken && !in_vain) {
      return false;
    }
  }
  if (!taken) {
    throw Error(ErrorCode::busy, "token.sessions_exhausted", "the token is busy, try again later",
                "the token's only session was not free in time");
  }
  handle_ = *taken;
  of_login_ = true;
  return true;
}

void SessionPool::Lease::renew() {
  if (of_login_) {  // another one takes another login
    throw token_error(CKR_SESSION_CLOSED, "the login's session failed");
  }
  close();
  broken_ = true;  // until a new one is there
  if (const CK_RV full = pool_->open(*this); full != CKR_OK) {
    throw token_error(full, "C_OpenSession");
  }
  broken_ = false;
}

SessionPool::Lease SessionPool::borrow(SessionKind kind) {
  const auto deadline = std::chrono::steady_clock::now() + wait_;
  for (;;) {
    const Taken taken = take_slot(deadline, kind);
    // Owns the slot from here on, whatever fails.
    Lease lease(*this, kind, taken.loan, taken.counted);
    lease.handle_ = taken.idle;
    if (taken.idle != CK_INVALID_HANDLE && kind == SessionKind::read_only) {
      return lease;
    }
    lease.close();
    if (taken.counted) {
      const CK_RV full = open(lease);
      if (full == CKR_OK) {
        grow();
        return lease;
      }
      statistics_.failed(full);  // nobody throws it
    }
    if ((!taken.counted || !shrink(lease)) && lease.share_login(deadline)) {
      return lease;
    }
  }
}

Error SessionPool::calls_hang(std::size_t calls) {
  return {ErrorCode::busy, "token.sessions_exhausted", "the token is busy, try again later",
          std::to_string(calls) + " calls have not come back for long"};
}

/// Whoever else came would wait for them in vain, with a worker that other tokens have use for.
void SessionPool::refuse_if_loans_hang() const {
  const auto now = std::chrono::steady_clock::now();
  // They are in the order of their beginning, but for those that are lent for good.
  const auto oldest = std::ranges::find_if(loans_, [](const auto since) {
    return since != std::chrono::steady_clock::time_point::max();
  });
  if (oldest == loans_.end() || *oldest >= now - std::min(wait_, kHangs)) {
    return;
  }
  refuse_if_all_hang(std::max<std::size_t>(cap_, 1), [&](std::chrono::milliseconds time) {
    return static_cast<std::size_t>(
        std::ranges::count_if(loans_, [&](const auto since) { return since < now - time; }));
  });
}

/// Waits for the right to one session. Returns an idle one, or CK_INVALID_HANDLE if one may be
/// opened or the login's is to be shared; the slot is counted either way.
SessionPool::Taken SessionPool::take_slot(std::chrono::steady_clock::time_point deadline,
                                          SessionKind kind) {
  std::unique_lock lock(mutex_);
  refuse_if_loans_hang();
  const auto ready = [&] { return closed_ || !idle_.empty() || may_open() || cap_ == 0; };
  if (!ready()) {
    const auto began = std::chrono::steady_clock::now();
    bool free = false;
    do {  // also when a full token may be asked again
      free = freed_.wait_until(lock, std::min(deadline, next_ask()), ready);
    } while (!free && std::chrono::steady_clock::now() < deadline);
    statistics_.waited(std::chrono::steady_clock::now() - began, !free);
    if (!free) {
      throw Error(ErrorCode::busy, "token.sessions_exhausted", "the token is busy, try again later",
                  "no free session in time; " + std::to_string(loans_.size()) + " of " +
                      std::to_string(cap_) + " are in use");
    }
  }
  if (closed_) {
    throw token_error(CKR_SESSION_CLOSED, "the login was renewed");
  }
  const auto loan = loans_.insert(loans_.end(), std::chrono::steady_clock::now());
  const bool reuse = !idle_.empty() && (kind == SessionKind::read_only || !may_open());
  if (!reuse) {
    const bool counted = cap_ > 0;
    taken_ += counted ? 1 : 0;
    return {CK_INVALID_HANDLE, loan, counted};
  }
  const CK_SESSION_HANDLE handle = idle_.back();
  idle_.pop_back();
  return {handle, loan, true};
}

/// Whether one more may be opened: by the caller, who asks for others, too, if the token was full.
bool SessionPool::may_open() noexcept {
  const auto now = std::chrono::steady_clock::now();
  if (taken_ >= cap_ && now >= next_ask()) {
    pause_ = std::min(2 * pause_, kLongestPause);
    ask_at_ = now + pause_;
    cap_ = taken_ + 1;
  }
  return taken_ < cap_;
}

std::chrono::steady_clock::time_point SessionPool::next_ask() const noexcept {
  return cap_ < most_ ? ask_at_ : std::chrono::steady_clock::time_point::max();
}

/// After an opening. One more than a full token had shows that it has room again; who waits may
/// find out how much.
void SessionPool::grow() noexcept {
  const std::scoped_lock lock(mutex_);
  if (cap_ < most_ && taken_ > full_with_) {
    cap_ = std::min(most_, std::max(cap_, 2 * taken_));
    pause_ = kFirstPause;
    freed_.notify_all();
  }
}

/// CKR_OK, or what the token answers while it has no more for us than what we have.
CK_RV SessionPool::open(Lease& lease) {
  const CK_FLAGS flags =
      CKF_SERIAL_SESSION | (lease.kind_ == SessionKind::read_write ? CKF_RW_SESSION : CK_FLAGS{0});
  const Module::Use use(*module_, generation_);
  CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
  const CK_RV rv = (*module_)->C_OpenSession(slot_, flags, nullptr, nullptr, &handle);
  const bool no_memory = rv == CKR_DEVICE_MEMORY || rv == CKR_HOST_MEMORY;
  if (rv == CKR_SESSION_COUNT || (no_memory && has_others())) {
    return rv;
  }
  check(rv, "C_OpenSession");
  module_->sessions().add(generation_, handle);
  lease.handle_ = handle;
  return CKR_OK;
}

/// Besides the one that is being opened.
bool SessionPool::has_others() const noexcept {
  const std::scoped_lock lock(mutex_);
  return taken_ > 1;
}

/// False: it is to be closed.
bool SessionPool::give_back(const Lease& lease) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) {
      return false;
    }
    idle_.push_back(lease.handle_);
    loans_.erase(lease.loan_);
  }
  freed_.notify_one();
  return true;
}

void SessionPool::give_up_slot(const Lease& lease) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    taken_ -= lease.counted_ ? 1 : 0;
    loans_.erase(lease.loan_);
  }
  freed_.notify_one();
}

/// After open() refused this lease: true if others of ours can be waited for.
bool SessionPool::shrink(Lease& lease) noexcept {
  const std::scoped_lock lock(mutex_);
  --taken_;
  lease.counted_ = false;
  full_with_ = taken_;
  ask_at_ = std::max(ask_at_, std::chrono::steady_clock::now() + kFirstPause);
  cap_ = std::min(cap_, taken_);
  if (cap_ == 0) {
    freed_.notify_all();  // the login's is for everybody who waits
  }
  return taken_ > 0;
}

/// Who waits has no session yet, and no call that could hang. Returns when the token may be asked
/// for one.
std::chrono::steady_clock::time_point SessionPool::waits_for_login(Loans::iterator loan) {
  const std::scoped_lock lock(mutex_);
  *loan = std::chrono::steady_clock::time_point::max();
  ++waiting_for_login_;
  return next_ask();
}

void SessionPool::waited_for_login(Loans::iterator loan) {
  const std::scoped_lock lock(mutex_);
  *loan = std::chrono::steady_clock::now();
  --waiting_for_login_;
}

SessionPool::Counts SessionPool::counts() const {
  const std::scoped_lock lock(mutex_);
  return {.open = taken_,
          .in_use = loans_.size() - waiting_for_login_,
          .cap = std::max<std::size_t>(cap_, 1)};
}

std::size_t SessionPool::overdue(std::chrono::steady_clock::time_point before) const {
  const std::scoped_lock lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(loans_, [&](const auto since) { return since < before; }));
}

}  // namespace estia::hsm
