// SPDX-License-Identifier: Apache-2.0
#include "hsm/session_pool.h"

#include <algorithm>
#include <utility>

#include "hsm/ckr.h"

namespace estia::hsm {

SessionPool::Lease::~Lease() { pool_.give_back(handle_, broken_); }

SessionPool::SessionPool(std::shared_ptr<Module> module, CK_SLOT_ID slot, std::size_t cap, std::chrono::milliseconds wait)
    : module_(std::move(module)), slot_(slot), cap_(std::max<std::size_t>(cap, 1)), wait_(wait) {
  idle_.reserve(cap_);  // so that giving back never allocates
}

SessionPool::~SessionPool() {
  for (const CK_SESSION_HANDLE handle : idle_) {
    static_cast<void>(module_->call().C_CloseSession(handle));
  }
}

SessionPool::Lease SessionPool::borrow() {
  {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, wait_, [this] { return !idle_.empty() || open_ < cap_; })) {
      throw Error(ErrorCode::busy, "token.sessions_exhausted", "the HSM is busy; retry later",
                  "no session came free within " + std::to_string(wait_.count()) + " ms");
    }
    if (!idle_.empty()) {
      const CK_SESSION_HANDLE handle = idle_.back();
      idle_.pop_back();
      return {*this, handle};
    }
    ++open_;  // our place, before the slow call without the lock
  }
  return {*this, open()};
}

CK_SESSION_HANDLE SessionPool::open() {
  CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
  const CK_RV rv = module_->call().C_OpenSession(slot_, CKF_SERIAL_SESSION, nullptr, nullptr, &handle);
  if (rv != CKR_OK) {
    {
      const std::lock_guard lock(mutex_);
      --open_;
    }
    returned_.notify_one();
    throw token_error(rv, "C_OpenSession");
  }
  return handle;
}

void SessionPool::give_back(CK_SESSION_HANDLE handle, bool broken) noexcept {
  if (broken) {
    static_cast<void>(module_->call().C_CloseSession(handle));  // it may be gone already
  }
  {
    const std::lock_guard lock(mutex_);
    if (broken) {
      --open_;
    } else {
      idle_.push_back(handle);
    }
  }
  returned_.notify_one();
}

SessionPool::Counts SessionPool::counts() const {
  const std::lock_guard lock(mutex_);
  return {open_, open_ - idle_.size()};
}

}  // namespace estia::hsm
