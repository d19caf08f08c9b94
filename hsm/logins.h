// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "crypto/base/error.h"
#include "hsm/attachment.h"
#include "hsm/pin_marker.h"
#include "hsm/token.h"
#include "hsm/token_statistics.h"

namespace estia::hsm {

/// Makes attachments to one token, each with one attempt of its PIN, and none where a wrong one
/// could do harm. One thread at a time.
class Logins final {
 public:
  /// Of an operator: also where one more wrong PIN would lock the token. One order is one attempt:
  /// whoever makes it (C_Login) turns it into none.
  enum class Orders { none, try_pin };

  /// The configuration outlives this object.
  explicit Logins(const TokenConfig& config) : config_(config), marker_(config.pin_marker) {}

  /// Loads the module and logs in, by whose orders. Throws as Token::open, and Error{token,
  /// "token.pin_refused" | "token.pin_awaited" | "token.pin_final_try" | "token.marker"}.
  [[nodiscard]] std::shared_ptr<Attachment> first(Orders orders = Orders::none);
  /// Once the module is loaded: with another session, in place of `old`, which is over then. Throws
  /// as first().
  [[nodiscard]] std::shared_ptr<Attachment> log_in(Orders& orders,
                                                   const std::shared_ptr<Attachment>& old = {});
  /// After a restart of the module; where another token of it is well, or somebody has restarted it
  /// since the last attempt, without one first. A token that is well is disturbed every half a
  /// minute at most, or by an order, and not in a long call. `old` may be null. Throws as first(),
  /// and Error{token, "token.stuck"} while a call is out.
  [[nodiscard]] std::shared_ptr<Attachment> after_restart(const std::shared_ptr<Attachment>& old,
                                                          Orders& orders);

  /// Whether the last after_restart() made one itself.
  [[nodiscard]] bool restarted() const noexcept { return restarted_; }

  [[nodiscard]] const PinMarker& marker() const noexcept { return marker_; }
  /// Any thread.
  [[nodiscard]] TokenStatistics& statistics() const noexcept { return *statistics_; }
  void count(const Error& error) const noexcept;

 private:
  [[nodiscard]] std::shared_ptr<Attachment> attach(const Attachment::Found& found,
                                                   const std::shared_ptr<Attachment>& old);
  void check_may_try(const TokenInfo& token, Orders orders) const;
  void settle(const std::string& serial, const Error& error, Orders& orders) const;
  [[nodiscard]] std::optional<bool> says_it_counted() const noexcept;
  void restart_module();
  void restart_unless_others_hang(const Attachment* old);
  [[nodiscard]] static Error call_is_out();
  [[nodiscard]] bool may_disturb(Orders orders);
  [[nodiscard]] std::shared_ptr<Attachment> make(const Attachment::Found& found);

  const TokenConfig& config_;
  const PinMarker marker_;
  const std::shared_ptr<TokenStatistics> statistics_ = std::make_shared<TokenStatistics>();
  std::shared_ptr<Module> module_;
  std::chrono::steady_clock::time_point next_disturbance_{};
  Module::Generation seen_ = 0;  ///< of the module at the last attempt
  bool restarted_ = false;
  std::uint64_t epoch_ = 0;   ///< of the last attachment
  Attachment::Earlier made_;  ///< that may have calls out
};

/// By an operator, in a process without a Token: one login with the PIN as it is, and out again.
/// The note of that token's refusal goes with its success, and is made where it is refused. Throws
/// as Logins::first().
void try_pin(const TokenConfig& config);

/// Of a PIN that was compared: another attempt could be the one that locks the token.
[[nodiscard]] bool is_refused_pin(const Error& error);
/// A wrong PIN was entered since the last right one, as far as the token tells.
[[nodiscard]] bool counts_wrong_pins(const TokenInfo& token) noexcept;
/// Nothing that time mends.
[[nodiscard]] bool needs_operator(const Error& error);

}  // namespace estia::hsm
