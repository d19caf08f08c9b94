// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "crypto/base/error.h"
#include "hsm/attachment.h"
#include "hsm/ckr.h"
#include "hsm/logins.h"
#include "hsm/token.h"

namespace estia::hsm {

/// Keeps the process attached to its token. Operations report faults; one thread climbs the rungs,
/// and everybody else waits for the next Attachment, for a bounded time:
///
/// - new login: another session logs in. Whoever needs a key finds it again by name, and compares
///   its public half;
/// - restart of the module once no call is out, then a new login; again and again, with growing
///   pauses, until it works;
/// - calls that hang, in half of the sessions, or one while a key is looked for, make the token
///   count as away: nobody else goes in after them. Once they are back, its module is restarted;
/// - a PIN that was refused ends all that: activate() alone begins again.
///
/// Any thread.
class Recovery final {
 public:
  enum class Start {
    now,    ///< throw what goes wrong
    later,  ///< a token that is away, or refuses its PIN, or does not answer, is waited for
  };

  explicit Recovery(TokenConfig config);

  /// The first attempt, in the caller's thread. Throws as Token::open.
  void begin();
  /// A thread's, until stop(): recovers. With `later` the first attempt is its own.
  void run(Start start);
  /// Another thread's, until stop(): looks for calls that hang, wherever run() may be.
  void watch();
  /// With `later`: until the first attempt has ended, at most call_limit. Throws what waiting
  /// cannot mend: as Token::open, but no Error{token}.
  void await_first();
  /// False: the threads have not come back from the module in time.
  [[nodiscard]] bool stop(std::chrono::milliseconds patience) noexcept;

  /// The one in force; waits while a lost one is replaced, until recovery_wait after the loss.
  /// Throws Error{token}: why there is none.
  [[nodiscard]] std::shared_ptr<Attachment> attachment();
  /// Also one that is lost; null before the first.
  [[nodiscard]] std::shared_ptr<Attachment> last_attachment() const;
  /// Without waiting; null if there is none.
  [[nodiscard]] std::shared_ptr<Attachment> attachment_now() const;

  /// A call within that attachment failed: Remedy says what is done. Returns at once.
  void report(const Attachment& seen, Fault fault) noexcept;
  /// The token says nothing of use about itself though it may sign: three times in a row, with no
  /// report_well() between, restart the module, as far as such a guess may.
  void report_unwell(const Attachment& seen) noexcept;
  void report_well() noexcept { unwell_.store(0); }
  /// A login of somebody else's with our PIN, within that attachment: only an operator can go on.
  void pin_was_refused(const Attachment& seen) noexcept;
  /// What became of a key in that attachment: for who listens to events.
  void tell_key(TokenEvent::What what, const std::string& detail) const noexcept;
  /// A call did what it should: what failed before it was an episode.
  void report_success() noexcept {
    if (unexplained_.load(std::memory_order_relaxed) != 0) {
      unexplained_.store(0);
    }
  }
  /// The first rung is climbed by operations themselves.
  void count_new_session() noexcept { ++new_sessions_; }

  /// By an operator: a refused PIN is forgotten, and one attempt is made with the PIN as it is now,
  /// or with the one that is brought (HeldPin), unless the token is attached. Waits for its end, at
  /// most session_wait. Throws why it failed; Error{conflict, "token.pin_not_taken"} for a PIN to a
  /// token that has it from elsewhere.
  void activate(std::optional<Secret> pin);

  [[nodiscard]] TokenStatistics& statistics() const noexcept { return login_.statistics(); }
  /// What is known without a call to the module.
  [[nodiscard]] TokenStatus status() const;

 private:
  enum class Phase {
    attached,
    recovering,
    away,
    refused,  ///< or awaited: the PIN. Only an operator can go on
  };
  using Lock = std::unique_lock<std::mutex>;

  void make_first_attempt();
  void work(Lock& lock);
  void look(Lock& lock);
  [[nodiscard]] bool falls_silent(Lock& lock);
  void enter_module();
  void give_up_if_stuck();
  void give_up_if_climb_hangs();
  void begin_recovering();
  void climb(Lock& lock, Remedy rung);
  void adopt(std::shared_ptr<Attachment> next, Remedy rung);
  void give_up(const Error& why);
  [[nodiscard]] std::shared_ptr<Attachment> new_login(const std::shared_ptr<Attachment>& old,
                                                      Logins::Orders& orders);
  [[nodiscard]] TokenState refused_state() const;
  /// Under the lock.
  void tell(TokenEvent::What what, const std::string& detail) const noexcept;

  const TokenConfig config_;
  Logins login_{config_};  ///< of begin(), then of run(); its marker also of activate()
  std::atomic<unsigned> unexplained_{0};  ///< faults since the last success
  std::atomic<unsigned> unwell_{0};       ///< since it was last well
  std::atomic<std::uint64_t> new_sessions_{0};

  mutable std::mutex mutex_;  ///< guards what follows; never held across a call to the module
  mutable std::condition_variable changed_;
  Phase phase_ = Phase::recovering;
  std::shared_ptr<Attachment> current_;  ///< the last one; in force while attached
  std::optional<Remedy> wanted_{};
  Logins::Orders orders_ = Logins::Orders::none;  ///< of the next attempt
  std::optional<Error> why_{};                    ///< why there is none
  std::chrono::milliseconds pause_{0};
  std::chrono::steady_clock::time_point next_attempt_{};
  std::chrono::steady_clock::time_point next_blind_restart_{};
  std::chrono::steady_clock::time_point wait_until_{};  ///< while recovering
  bool climbing_ = false;                               ///< run() is in the module, or looks at it
  std::chrono::steady_clock::time_point climbs_since_{};
  std::string
      told_;  ///< id of the last trouble that was told, until it is over or an order is given
  std::uint64_t attempts_ = 0;  ///< that have ended
  std::uint64_t logins_ = 0;
  std::uint64_t restarts_ = 0;
  std::optional<Error> fatal_{};  ///< of the first attempt: nothing that is waited for
  bool stop_ = false;
  int running_ = 2;  ///< threads that have not left run() and watch()
};

}  // namespace estia::hsm
