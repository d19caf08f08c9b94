// SPDX-License-Identifier: Apache-2.0
#include "server/est/refusal_audit.h"

#include <chrono>
#include <utility>

#include "server/http/router.h"
#include "server/ops/log.h"

namespace estia::est {
namespace {

constexpr std::chrono::seconds kWindow{60};
constexpr std::chrono::seconds kBetweenLooks{5};
constexpr std::size_t kMostKinds = 1000;
constexpr int kServerError = 500;

/// Who has not said yet who they are gets a challenge, and no row; who brought a certificate that
/// is no longer good gets both.
bool is_worth_a_row(const Error& error) {
  const bool challenge = error.code() == ErrorCode::unauthenticated &&
                         error.id() == "auth.required" && error.detail().empty();
  return !challenge && http::error_response(error).status < kServerError;
}

}  // namespace

ca::AuditEvent RefusalAudit::event(const Kind& kind, std::string detail) const {
  return {.at = clock_.now(),
          .who = kind.who.empty() ? "nobody" : kind.who,
          .what = "request.refused",
          .outcome = kind.id,
          .object = kind.alias.empty() ? "" : kind.alias + "/" + kind.operation,
          .detail = std::move(detail)};
}

void RefusalAudit::record(const Refused& refused, const Error& error) {
  if (!is_worth_a_row(error)) {
    return;
  }
  std::vector<ca::AuditEvent> rows;
  {
    const std::lock_guard lock(mutex_);
    const Instant now = clock_.now();
    // Also when the clock was set back.
    const bool due = now >= next_look_ || next_look_ - now > kBetweenLooks;
    if (due || kinds_.size() >= kMostKinds) {
      take_over(now, rows);
      next_look_ = now + kBetweenLooks;
    }
    Kind kind{refused.who, refused.alias, refused.operation, error.id()};
    if (kinds_.size() >= kMostKinds && !kinds_.contains(kind)) {
      kind = {.who = "many", .id = "many"};
    }
    const auto [at, first] = kinds_.try_emplace(kind, Repeats{.since = now});
    if (first) {
      rows.push_back(
          event(kind, (refused.request.empty() ? "" : "request=" + refused.request + " ") +
                          "address=" + refused.address));
    } else {
      ++at->second.count;
    }
  }
  write(rows);
}

void RefusalAudit::take_over(Instant now, std::vector<ca::AuditEvent>& rows) {
  std::erase_if(kinds_, [&](const auto& entry) {
    const auto& [kind, repeats] = entry;
    // A clock that was set back must not keep a kind for ever.
    const bool over = now - repeats.since >= kWindow || now < repeats.since;
    if (over && repeats.count > 0) {
      rows.push_back(event(
          kind, "repeats=" + std::to_string(repeats.count) + " since=" + utc_text(repeats.since)));
    }
    return over;
  });
}

void RefusalAudit::flush() {
  std::vector<ca::AuditEvent> rows;
  {
    const std::lock_guard lock(mutex_);
    take_over(Instant::max(), rows);
  }
  write(rows);
}

void RefusalAudit::write(const std::vector<ca::AuditEvent>& rows) {
  if (rows.empty()) {
    return;
  }
  try {
    log_.append(rows);
  } catch (const Error& error) {
    ops::log(ops::Level::error, "audit.refusals_lost",
             {{"rows", std::to_string(rows.size())}, {"reason", error.id()}});
  }
}

}  // namespace estia::est
