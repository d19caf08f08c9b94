// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string_view>

namespace estia::http {

/// Why a client was closed before it was heard.
enum class TurnedAway {
  connections,  ///< all are taken
  per_address,  ///< it has all it may have
  draining,
  handshakes,  ///< it waited too long for its handshake
  proxy,       ///< a load balancer did not say who it is
};
[[nodiscard]] constexpr std::string_view to_string(TurnedAway why) noexcept {
  switch (why) {
    case TurnedAway::connections:
      return "connections";
    case TurnedAway::per_address:
      return "per_address";
    case TurnedAway::draining:
      return "draining";
    case TurnedAway::handshakes:
      return "handshakes";
    case TurnedAway::proxy:
      break;
  }
  return "proxy";
}

/// Hears what a listener does, for who counts it. Any thread.
class Observer {
 public:
  virtual ~Observer() = default;
  /// `route` is RouteMatch::route, empty for what was refused before one was found; `refusal` is
  /// Response::log_id.
  virtual void answered(std::string_view route, int status, std::string_view refusal,
                        std::chrono::steady_clock::duration time) noexcept = 0;
  virtual void handshake(bool succeeded) noexcept = 0;
  virtual void turned_away(TurnedAway why) noexcept = 0;
};

}  // namespace estia::http
