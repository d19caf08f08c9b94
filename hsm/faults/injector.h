// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "hsm/faults/order.h"

namespace estia::hsm::faults {

/// The rules in force and what they do to calls: each call of the module enters, is told its plan,
/// and leaves. Any thread. Its lock is never held while a call waits or is in the real module.
class Injector final {
 public:
  /// Of the same seed comes the same chance.
  explicit Injector(std::uint64_t seed) : chance_(seed) {}

  struct Counts {
    std::uint64_t calls = 0;
    std::uint64_t in_flight = 0;  ///< came and have not returned, those that wait among them
    std::uint64_t most_in_flight = 0;
    std::uint64_t faults = 0;  ///< times that a rule, or the cap on sessions, met a call
  };

  /// Ends a wait for whoever asked when he is gone; asked several times a second.
  using Gone = std::function<bool()>;

 private:
  struct Pause {
    std::chrono::milliseconds delay{0};
    bool hang = false;
    std::uint64_t releases = 0;  // those at the time of the decision: one more ends the pause
  };

 public:
  /// What becomes of one call.
  class Plan {
   public:
    [[nodiscard]] bool fails(When when) const { return code_ && when_ == when; }
    [[nodiscard]] CK_RV code() const { return code_.value_or(CKR_OK); }

   private:
    friend class Injector;
    Pause& pause(When when) { return when == When::before ? before_ : after_; }
    std::optional<CK_RV> code_;
    When when_ = When::before;
    Pause before_;
    Pause after_;
  };

  // What a call does, in this order.

  /// Returns when the call may go on to the real module: not while calls are held, and after the
  /// pauses that stand before it.
  [[nodiscard]] Plan enter(FunctionIndex function);
  /// True if the rule of that kind, put on `function`, meets this call.
  [[nodiscard]] std::optional<Rule> take(Kind kind, FunctionIndex function);
  /// One that no rule of the injector has decided.
  void count_fault(FunctionIndex function);
  /// Returns when the pauses are over that stand behind the real call.
  void after_real(FunctionIndex function, Plan& plan);
  void leave(FunctionIndex function);

  // What orders do.

  void set(const Rule& rule);
  /// Takes off the function's rules and ends its pauses; every function's for kEveryFunction.
  void clear(FunctionIndex function);
  /// Takes off the function's `hang` and lets go on what hangs or is delayed.
  void release(FunctionIndex function);

  /// From now on calls wait when they come. True when the running ones have ended; false if it was
  /// resumed before, or if `gone`; new calls then still wait unless it was resumed.
  bool hold(const Gone& gone);
  void resume();
  [[nodiscard]] bool held() const;
  /// Runs `call` while no call is in the module and none comes in. False, without running it,
  /// unless calls are held and the running ones have ended.
  bool while_held(const std::function<void()>& call);

  /// True once `count` calls of the function are in flight; false if `gone` before.
  bool wait_in_flight(FunctionIndex function, std::uint64_t count, const Gone& gone);
  [[nodiscard]] Counts counts(FunctionIndex function) const;
  [[nodiscard]] std::vector<Rule> rules() const;

 private:
  struct Entry {
    Counts counts;
    std::uint64_t releases = 0;
  };

  [[nodiscard]] Plan decide(FunctionIndex function);
  [[nodiscard]] std::optional<Rule> meet(FunctionIndex rule_on, Kind kind, Entry& entry);
  [[nodiscard]] bool meets(Pick& pick);
  void pause(std::unique_lock<std::mutex>& lock, FunctionIndex function, const Pause& pause);
  void end_pauses(FunctionIndex function);
  template <class Condition>
  bool wait(std::unique_lock<std::mutex>& lock, const Gone& gone, const Condition& condition);

  mutable std::mutex mutex_;  // guards everything below
  std::condition_variable changed_;
  std::condition_variable released_;  // pauses wait here: calls that come and go wake none of them
  std::array<Entry, kFunctionNames.size()> entries_;
  std::map<std::pair<FunctionIndex, Kind>, Rule> rules_;
  std::mt19937_64 chance_;
  std::uint64_t running_ = 0;  // calls that were let in and have not left
  bool held_ = false;
  bool real_call_ = false;  // one of while_held() is going on
};

}  // namespace estia::hsm::faults
