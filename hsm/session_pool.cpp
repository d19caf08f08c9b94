// SPDX-License-Identifier: Apache-2.0
#include "hsm/session_pool.h"

#include <algorithm>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/ckr.h"

namespace estia::hsm {

SessionPool::SessionPool(std::shared_ptr<const Module> module, CK_SLOT_ID slot, std::size_t cap,
                         std::chrono::milliseconds wait)
    : module_(std::move(module)),
      generation_(module_->generation()),
      slot_(slot),
      wait_(wait),
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
  use_if_current(*module_, generation_,
                 [&] { static_cast<void>((*module_)->C_CloseSession(handle)); });
}

SessionPool::Lease::Lease(Lease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      kind_(other.kind_),
      handle_(std::exchange(other.handle_, CK_INVALID_HANDLE)),
      broken_(other.broken_),
      loan_(other.loan_) {}

SessionPool::Lease::~Lease() {
  if (pool_ == nullptr) {
    return;
  }
  if (!broken_ && kind_ == SessionKind::read_only && handle_ != CK_INVALID_HANDLE &&
      pool_->give_back(*this)) {
    return;
  }
  close();
  pool_->give_up_slot(*this);
}

void SessionPool::Lease::close() noexcept {
  if (handle_ != CK_INVALID_HANDLE) {
    pool_->close_session(std::exchange(handle_, CK_INVALID_HANDLE));
  }
}

void SessionPool::Lease::keep() noexcept {
  const std::scoped_lock lock(pool_->mutex_);
  *loan_ = std::chrono::steady_clock::time_point::max();
}

void SessionPool::Lease::renew() {
  close();
  broken_ = true;  // until a new one is there
  if (pool_->open(*this) == Opened::token_is_full) {
    throw token_error(CKR_SESSION_COUNT, "C_OpenSession");
  }
  broken_ = false;
}

SessionPool::Lease SessionPool::borrow(SessionKind kind) {
  const auto deadline = std::chrono::steady_clock::now() + wait_;
  for (;;) {
    const Taken taken = take_slot(deadline, kind);
    Lease lease(*this, kind, taken.loan);  // owns the slot from here on, whatever fails
    lease.handle_ = taken.idle;
    if (taken.idle != CK_INVALID_HANDLE && kind == SessionKind::read_only) {
      return lease;
    }
    lease.close();
    if (open(lease) == Opened::yes) {
      return lease;
    }
    if (!shrink()) {
      throw token_error(CKR_SESSION_COUNT, "C_OpenSession");
    }
  }
}

/// Waits for the right to one session. Returns an idle one, or CK_INVALID_HANDLE if one may be
/// opened; the slot is counted either way.
SessionPool::Taken SessionPool::take_slot(std::chrono::steady_clock::time_point deadline,
                                          SessionKind kind) {
  std::unique_lock lock(mutex_);
  const bool free =
      freed_.wait_until(lock, deadline, [&] { return closed_ || !idle_.empty() || taken_ < cap_; });
  if (closed_) {
    throw token_error(CKR_SESSION_CLOSED, "the login was renewed");
  }
  if (!free) {
    throw Error(ErrorCode::busy, "token.sessions_exhausted", "the token is busy, try again later",
                "no free session in time; " + std::to_string(loans_.size()) + " of " +
                    std::to_string(cap_) + " are in use");
  }
  const auto loan = loans_.insert(loans_.end(), std::chrono::steady_clock::now());
  const bool reuse = !idle_.empty() && (kind == SessionKind::read_only || taken_ >= cap_);
  if (!reuse) {
    ++taken_;
    return {CK_INVALID_HANDLE, loan};
  }
  const CK_SESSION_HANDLE handle = idle_.back();
  idle_.pop_back();
  return {handle, loan};
}

SessionPool::Opened SessionPool::open(Lease& lease) {
  const CK_FLAGS flags =
      CKF_SERIAL_SESSION | (lease.kind_ == SessionKind::read_write ? CKF_RW_SESSION : CK_FLAGS{0});
  const Module::Use use(*module_, generation_);
  CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
  const CK_RV rv = (*module_)->C_OpenSession(slot_, flags, nullptr, nullptr, &handle);
  if (rv == CKR_SESSION_COUNT) {
    return Opened::token_is_full;
  }
  check(rv, "C_OpenSession");
  lease.handle_ = handle;
  return Opened::yes;
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
    --taken_;
    loans_.erase(lease.loan_);
  }
  freed_.notify_one();
}

/// After CKR_SESSION_COUNT, while our own lease still counts: true if others of ours can be waited
/// for.
bool SessionPool::shrink() noexcept {
  const std::scoped_lock lock(mutex_);
  const std::size_t others = taken_ - 1;
  cap_ = std::max<std::size_t>(1, std::min(cap_, others));
  return others > 0;
}

SessionPool::Counts SessionPool::counts() const {
  const std::scoped_lock lock(mutex_);
  return {.open = taken_, .in_use = loans_.size(), .cap = cap_};
}

std::size_t SessionPool::overdue(std::chrono::steady_clock::time_point before) const {
  const std::scoped_lock lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(loans_, [&](const auto since) { return since < before; }));
}

}  // namespace estia::hsm
