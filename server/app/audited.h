// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "crypto/base/clock.h"
#include "crypto/base/error.h"
#include "server/ca/audit.h"

namespace estia::app {

/// How an order ended that threw nothing.
struct Outcome {
  std::string id = "ok";
  std::string detail{};
};

/// An operator's order, which returns what is wanted of it: the audit trail says so before it is
/// tried (`event` with the outcome "begun"), and what became of it: what `judge` makes of the
/// result, or the id of what was thrown ("internal" for what is no Error). Throws that, and
/// Error{store, ...}.
template <typename Order, typename Judge>
auto audited(ca::AuditLog& log, const Clock& clock, ca::AuditEvent event, Order order,
             Judge judge) {
  const auto say = [&](Outcome outcome) {
    event.at = clock.now();
    event.outcome = std::move(outcome.id);
    event.detail = std::move(outcome.detail);
    log.append(event);
  };
  say({.id = "begun"});
  auto result = [&] {
    try {
      return order();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::store) {
        say({.id = error.id()});
      }
      throw;
    } catch (const std::exception&) {  // no thread, no memory
      say({.id = "internal"});
      throw;
    }
  }();
  say(judge(result));
  return result;
}

}  // namespace estia::app
