// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "crypto/base/error.h"
#include "hsm/login_session.h"
#include "hsm/module.h"
#include "hsm/token_statistics.h"

namespace estia::hsm {

/// Once all that the callers can have are out for so long there are no others but those who have
/// the places of these (less than http::Limits::replace): as many again would follow them.
inline constexpr std::chrono::milliseconds kHangs{1000};

enum class SessionKind { read_only, read_write };

/// Sessions of one token, lent to one thread at a time. The session used last is lent first, so
/// that few stay open on a quiet server. A token that has no session but that of the login lends
/// that one. Any thread; no call to the token is made under the pool's lock.
class SessionPool final {
  /// Since when each lent session is.
  using Loans = std::list<std::chrono::steady_clock::time_point>;

 public:
  /// `cap` is at least 1. `wait` limits how long borrow() waits for a free session. `callers` are
  /// those that there are as a rule. Statistics and login session outlive the pool.
  SessionPool(std::shared_ptr<const Module> module, CK_SLOT_ID slot, std::size_t cap,
              std::size_t callers, std::chrono::milliseconds wait, TokenStatistics& statistics,
              LoginSession& login);
  ~SessionPool();  ///< closes idle sessions; every lease must be gone
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;
  SessionPool(SessionPool&&) = delete;
  SessionPool& operator=(SessionPool&&) = delete;

  /// A session on loan. Given back by the destructor, or closed if it was marked broken or may
  /// write. That of the login is never closed: an operation that an error left active in it ends
  /// with the next login, which CKR_OPERATION_ACTIVE leads to.
  class Lease final {
   public:
    Lease(Lease&& other) noexcept;
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Lease& operator=(Lease&&) = delete;

    [[nodiscard]] CK_SESSION_HANDLE handle() const noexcept { return handle_; }
    /// Any failed call makes a session suspect: it may hold an active operation for ever.
    void mark_broken() noexcept { broken_ = true; }
    /// Closes the session and opens a new one in its place. Throws Error{token}.
    void renew();
    /// It is lent for good: overdue() does not count it.
    void keep() noexcept;

   private:
    friend class SessionPool;
    Lease(SessionPool& pool, SessionKind kind, Loans::iterator loan, bool counted) noexcept
        : pool_(&pool), kind_(kind), counted_(counted), loan_(loan) {}
    void close() noexcept;
    [[nodiscard]] bool share_login(std::chrono::steady_clock::time_point deadline);

    SessionPool* pool_;
    SessionKind kind_;
    CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
    bool broken_ = false;
    bool of_login_ = false;  ///< the handle is not ours
    bool counted_ = true;    ///< among those that the token has for us
    Loans::iterator loan_;
  };

  /// Throws Error{busy, "token.sessions_exhausted"} when none comes free in time, or at once while
  /// all sessions are out for longer than that, or as many as there are callers for kHangs; and
  /// Error{token} when none can be opened, or one of ours is given once more. A token that allows
  /// fewer than the cap lowers it. It is asked for one more a second later, and while it stays full
  /// more and more rarely; once it has one more, the cap doubles with what is opened.
  [[nodiscard]] Lease borrow(SessionKind kind = SessionKind::read_only);

  /// As borrow() does at once, for calls that may be `most` and go through no session of the pool.
  /// `out_for` tells how many have been out for longer than that.
  template <class OutFor>
  void refuse_if_all_hang(std::size_t most, OutFor&& out_for) const {
    const std::size_t hanging = out_for(std::min(wait_, kHangs));
    if (hanging >= callers_ || (hanging >= most && out_for(wait_) >= most)) {
      throw calls_hang(hanging);
    }
  }

  /// Closes what is idle, and later what is lent; borrow() throws Error{token,
  /// "token.session_lost"}.
  void close() noexcept;

  struct Counts {
    std::size_t open = 0;
    std::size_t in_use = 0;
    std::size_t cap = 0;
  };
  [[nodiscard]] Counts counts() const;
  /// Sessions that were lent before, and are not back: in calls that hang, most likely.
  [[nodiscard]] std::size_t overdue(std::chrono::steady_clock::time_point before) const;

 private:
  static constexpr std::chrono::seconds kFirstPause{1};  ///< before a full token is asked again
  static constexpr std::chrono::seconds kLongestPause{30};

  void close_session(CK_SESSION_HANDLE handle) const noexcept;
  struct Taken {
    CK_SESSION_HANDLE idle;
    Loans::iterator loan;
    bool counted;
  };
  [[nodiscard]] static Error calls_hang(std::size_t calls);
  void refuse_if_loans_hang() const;
  [[nodiscard]] Taken take_slot(std::chrono::steady_clock::time_point deadline, SessionKind kind);
  [[nodiscard]] CK_RV open(Lease& lease);
  [[nodiscard]] bool has_others() const noexcept;
  [[nodiscard]] bool give_back(const Lease& lease) noexcept;
  void give_up_slot(const Lease& lease) noexcept;
  bool shrink(Lease& lease) noexcept;
  void grow() noexcept;
  [[nodiscard]] std::chrono::steady_clock::time_point next_ask() const noexcept;
  std::chrono::steady_clock::time_point waits_for_login(Loans::iterator loan);
  void waited_for_login(Loans::iterator loan);
  [[nodiscard]] bool may_open() noexcept;

  const std::shared_ptr<const Module> module_;
  const Module::Generation generation_;
  const CK_SLOT_ID slot_;
  const std::chrono::milliseconds wait_;
  const std::size_t callers_;
  const std::size_t most_;
  TokenStatistics& statistics_;
  LoginSession& login_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable freed_;
  std::vector<CK_SESSION_HANDLE> idle_;  // last in, first out; read-only ones
  std::size_t cap_;                      ///< 0: the token has the login's session only
  std::size_t taken_ = 0;                // open sessions and those being opened
  std::size_t full_with_ = 0;            ///< how many were taken when the token last had no more
  std::chrono::steady_clock::time_point ask_at_{};  ///< when it may be asked for one more
  std::chrono::seconds pause_ = kFirstPause;        ///< the last one between two times
  Loans loans_;
  std::size_t waiting_for_login_ = 0;  ///< of the loans
  bool closed_ = false;
};

}  // namespace estia::hsm
