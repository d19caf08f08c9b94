// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string_view>

namespace estia::http {

/// Hears what a listener does, for who counts it. Any thread.
class Observer {
 public:
  virtual ~Observer() = default;
  /// `route` is RouteMatch::route, empty for what was refused before one was found; `refusal` is
  /// Response::log_id.
  virtual void answered(std::string_view route, int status, std::string_view refusal,
                        std::chrono::steady_clock::duration time) noexcept = 0;
  virtual void handshake(bool succeeded) noexcept = 0;
  /// A client that was closed at once, and why: a text of the program's own.
  virtual void turned_away(std::string_view why) noexcept = 0;
};

}  // namespace estia::http
