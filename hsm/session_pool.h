// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "hsm/module.h"

namespace estia::hsm {

/// Read-only sessions of one token, lent one operation at a time. Last in, first out; never more than `cap` open. No token call is made under
/// the pool's lock. Any thread.
class SessionPool final {
 public:
  /// A borrowed session; goes back when it leaves scope. A session that saw any error must be discard()ed: a module may have left an
  /// operation active in it.
  class Lease final {
   public:
    Lease(SessionPool& pool, CK_SESSION_HANDLE handle) noexcept : pool_(pool), handle_(handle) {}
    ~Lease();
    Lease(const Lease&) = delete;  // one owner, one return
    Lease& operator=(const Lease&) = delete;
    [[nodiscard]] CK_SESSION_HANDLE handle() const noexcept { return handle_; }
    void discard() noexcept { broken_ = true; }

   private:
    SessionPool& pool_;
    CK_SESSION_HANDLE handle_;
    bool broken_ = false;
  };

  struct Counts {
    std::size_t open = 0;
    std::size_t in_use = 0;
  };

  SessionPool(std::shared_ptr<Module> module, CK_SLOT_ID slot, std::size_t cap, std::chrono::milliseconds wait);
  ~SessionPool();
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;

  /// Throws Error{busy, "token.sessions_exhausted"} when none comes free in time, Error{token, ...} when none can be opened.
  [[nodiscard]] Lease borrow();
  [[nodiscard]] Counts counts() const;
  [[nodiscard]] std::size_t cap() const noexcept { return cap_; }

 private:
  void give_back(CK_SESSION_HANDLE handle, bool broken) noexcept;
  [[nodiscard]] CK_SESSION_HANDLE open();

  const std::shared_ptr<Module> module_;
  const CK_SLOT_ID slot_;
  const std::size_t cap_;
  const std::chrono::milliseconds wait_;
  mutable std::mutex mutex_;          // guards idle_ and open_
  std::condition_variable returned_;  // a session came back or a place to open one came free
  std::vector<CK_SESSION_HANDLE> idle_;
  std::size_t open_ = 0;  // idle ones and lent ones and those being opened
};

}  // namespace estia::hsm
