// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/injector.h"

#include <algorithm>

namespace estia::hsm::faults {

Injector::Plan Injector::enter(FunctionIndex function) {
  std::unique_lock lock(mutex_);
  Counts& counts = entries_.at(function).counts;
  ++counts.calls;
  counts.most_in_flight = std::max(counts.most_in_flight, ++counts.in_flight);
  changed_.notify_all();
  changed_.wait(lock, [&] { return !held_ && !real_call_; });
  ++running_;
  Plan plan = decide(function);
  pause(lock, function, plan.before_);
  return plan;
}

void Injector::after_real(FunctionIndex function, Plan& plan) {
  std::unique_lock lock(mutex_);
  pause(lock, function, plan.after_);
}

void Injector::leave(FunctionIndex function) {
  const std::scoped_lock lock(mutex_);
  --entries_.at(function).counts.in_flight;
  --running_;
  changed_.notify_all();
}

/// Every rule that may be meant is asked, so that each counts this call. Of two return codes that
/// of the function itself wins; delays add up.
Injector::Plan Injector::decide(FunctionIndex function) {
  Entry& entry = entries_.at(function);
  Plan plan;
  plan.before_.releases = entry.releases;
  plan.after_.releases = entry.releases;
  for (const FunctionIndex rule_on : {kEveryFunction, function}) {
    if (const auto rule = meet(rule_on, Kind::delay, entry)) {
      plan.pause(rule->when).delay += rule->delay;
    }
    if (const auto rule = meet(rule_on, Kind::hang, entry)) {
      plan.pause(rule->when).hang = true;
    }
    if (const auto rule = meet(rule_on, Kind::fail, entry)) {
      plan.code_ = rule->code;
      plan.when_ = rule->when;
    }
  }
  return plan;
}

std::optional<Rule> Injector::take(Kind kind, FunctionIndex function) {
  const std::scoped_lock lock(mutex_);
  return meet(function, kind, entries_.at(function));
}

void Injector::count_fault(FunctionIndex function) {
  const std::scoped_lock lock(mutex_);
  ++entries_.at(function).counts.faults;
}

std::optional<Rule> Injector::meet(FunctionIndex rule_on, Kind kind, Entry& entry) {
  const auto found = rules_.find({rule_on, kind});
  if (found == rules_.end() || !meets(found->second.pick)) {
    return std::nullopt;
  }
  ++entry.counts.faults;
  Rule rule = found->second;
  if (rule.pick.count == 0U) {
    rules_.erase(found);
  }
  return rule;
}

bool Injector::meets(Pick& pick) {
  if (pick.skip > 0) {
    --pick.skip;
    return false;
  }
  if (++pick.passed % pick.every != 0 ||
      std::uniform_int_distribution<std::uint64_t>(1, pick.one_in)(chance_) != 1) {
    return false;
  }
  if (pick.count) {
    --*pick.count;
  }
  return true;
}

void Injector::pause(std::unique_lock<std::mutex>& lock, FunctionIndex function,
                     const Pause& pause) {
  const Entry& entry = entries_.at(function);
  const auto released = [&] { return entry.releases != pause.releases; };
  if (pause.delay.count() > 0) {
    released_.wait_for(lock, pause.delay, released);
  }
  if (pause.hang) {
    released_.wait(lock, released);
  }
}

void Injector::set(const Rule& rule) {
  const std::scoped_lock lock(mutex_);
  rules_.insert_or_assign({rule.function, rule.kind}, rule);
}

void Injector::clear(FunctionIndex function) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(rules_, [&](const auto& entry) {
    return function == kEveryFunction || entry.second.function == function;
  });
  end_pauses(function);
}

void Injector::release(FunctionIndex function) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(rules_, [&](const auto& entry) {
    const Rule& rule = entry.second;
    return rule.kind == Kind::hang && (function == kEveryFunction || rule.function == function);
  });
  end_pauses(function);
}

void Injector::end_pauses(FunctionIndex function) {
  if (function == kEveryFunction) {
    std::ranges::for_each(entries_, [](Entry& entry) { ++entry.releases; });
  } else {
    ++entries_.at(function).releases;
  }
  released_.notify_all();
}

/// True when the condition holds, false if `gone` before.
template <class Condition>
bool Injector::wait(std::unique_lock<std::mutex>& lock, const Gone& gone,
                    const Condition& condition) {
  constexpr std::chrono::milliseconds kBetweenLooks{100};
  while (!changed_.wait_for(lock, kBetweenLooks, condition)) {
    if (gone()) {
      return false;
    }
  }
  return true;
}

bool Injector::hold(const Gone& gone) {
  std::unique_lock lock(mutex_);
  held_ = true;
  return wait(lock, gone, [&] { return running_ == 0 || !held_; }) && held_;
}

void Injector::resume() {
  const std::scoped_lock lock(mutex_);
  held_ = false;
  changed_.notify_all();
}

bool Injector::held() const {
  const std::scoped_lock lock(mutex_);
  return held_;
}

bool Injector::while_held(const std::function<void()>& call) {
  {
    const std::scoped_lock lock(mutex_);
    if (!held_ || running_ > 0 || real_call_) {
      return false;
    }
    real_call_ = true;
  }
  call();
  const std::scoped_lock lock(mutex_);
  real_call_ = false;
  changed_.notify_all();
  return true;
}

bool Injector::wait_in_flight(FunctionIndex function, std::uint64_t count, const Gone& gone) {
  std::unique_lock lock(mutex_);
  const Counts& counts = entries_.at(function).counts;
  return wait(lock, gone, [&] { return counts.in_flight >= count; });
}

Injector::Counts Injector::counts(FunctionIndex function) const {
  const std::scoped_lock lock(mutex_);
  return entries_.at(function).counts;
}

std::vector<Rule> Injector::rules() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Rule> all;
  for (const auto& entry : rules_) {
    all.push_back(entry.second);
  }
  return all;
}

}  // namespace estia::hsm::faults
