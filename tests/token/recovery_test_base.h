// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <thread>

#include "hsm/module.h"
#include "hsm/slots.h"
#include "tests/token/shim_test_base.h"

namespace estia::hsm {

/// A token behind the shim, a key in it, and somebody else in the process who uses the same module.
class RecoveryTest : public ShimTest {
 protected:
  struct Limits {
    std::size_t max_sessions = 64;
    std::chrono::milliseconds call_limit{30'000};
    Signing signing = Signing::native;
    std::size_t callers = 64;
  };
  explicit RecoveryTest(std::chrono::milliseconds session_wait, const Limits& limits) {
    config_ = config();
    config_.session_wait = session_wait;
    config_.recovery_wait = session_wait;  // a slow machine is no reason to refuse
    config_.max_sessions = limits.max_sessions;
    config_.call_limit = limits.call_limit;
    config_.signing = limits.signing;
    config_.callers = limits.callers;
    config_.pin_marker = dir_.folder / "pin-refused";
    config_.on_event = [this](const TokenEvent& event) {
      const std::lock_guard lock(mutex_);
      events_ += std::string(events_.empty() ? "" : " ") +
                 (event.what == TokenEvent::What::attached      ? "attached"
                  : event.what == TokenEvent::What::lost        ? "lost"
                  : event.what == TokenEvent::What::away        ? "away"
                  : event.what == TokenEvent::What::pin_awaited ? "pin_awaited"
                  : event.what == TokenEvent::What::key_refused ? "key_refused"
                  : event.what == TokenEvent::What::key_found   ? "key_found"
                                                                : "pin_refused");
    };
    token_ = Token::open(config_);
    key_.emplace(token_->generate(spec("P-256"), "ca"));
  }
  explicit RecoveryTest(std::chrono::milliseconds session_wait = std::chrono::seconds(60))
      : RecoveryTest(session_wait, Limits()) {}

  [[nodiscard]] std::string events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  [[nodiscard]] bool signs_now() const { return signs(*key_); }
  [[nodiscard]] std::string refused() const {
    return test::refusal([&] { static_cast<void>(signs_now()); });
  }
  void wait_until(TokenState state) const {
    while (token_->probe().state != state) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  /// The module itself, as another user in this process has it.
  [[nodiscard]] const CK_FUNCTION_LIST& other() const {
    return *(*Module::load(config_.module, {})).operator->();
  }
  [[nodiscard]] CK_SLOT_ID slot() const {
    return find_slot(*Module::load(config_.module, {}), dir_.label, {}).id;
  }

  TokenConfig config_;
  std::mutex mutex_;  ///< guards events_
  std::string events_;
  std::shared_ptr<Token> token_;
  std::optional<crypto::PrivateKey> key_;
};

}  // namespace estia::hsm
