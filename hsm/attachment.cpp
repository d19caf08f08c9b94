// SPDX-License-Identifier: Apache-2.0
#include "hsm/attachment.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/pin_marker.h"
#include "hsm/pkcs11_provider.h"

namespace estia::hsm {
namespace {

/// Calls in a row that hang, so that the token does for all that is known.
constexpr std::size_t kMostUnanswered = 3;

/// One session of the token's is taken by the login; where it has no other, that one is lent.
std::size_t pool_cap(std::size_t wanted, CK_ULONG token_limit) {
  constexpr std::size_t kMost = TokenConfig::kMostSessions;
  if (wanted == 0 || wanted > kMost) {
    throw Error(ErrorCode::config, "token.max_sessions",
                "max_sessions must be between 1 and " + std::to_string(kMost));
  }
  if (token_limit == CK_EFFECTIVELY_INFINITE || token_limit == CK_UNAVAILABLE_INFORMATION) {
    return wanted;
  }
  return std::min<std::size_t>(wanted, std::max<CK_ULONG>(token_limit, 2) - 1);
}

/// Noted beside the refused PINs, for whoever starts after a kill.
LoginSession::Attempt attempt_of(const TokenConfig& config, const std::string& serial) {
  const PinMarker marker(config.pin_marker);
  return {.begins = [marker, serial] { marker.begin_attempt(serial); },
          .ends = [marker] { marker.end_attempt(); },
          .refused = [&config, marker,
                      serial] { note_refused_pin_or_throw(config.pin, marker, serial, "now"); }};
}

CK_FLAGS login_flags(const Slot& slot) {
  return slot.max_sessions == 1 ? CKF_RW_SESSION : 0;
}

}  // namespace

Attachment::Found::Found(std::shared_ptr<const Module> module, const TokenConfig& config)
    : module_(std::move(module)), generation_(module_->generation()) {
  const Module::Use use(*module_, generation_);
  require_functions(config.signing, *module_);
  slot_ = find_slot(*module_, config.label, config.serial);
}

Attachment::Attachment(const Found& found, const TokenConfig& config, std::uint64_t epoch,
                       std::shared_ptr<TokenStatistics> statistics, Earlier earlier)
    : module_(found.module_),
      generation_(found.generation_),
      slot_(found.slot_),
      cap_(pool_cap(config.max_sessions, sessions_for_us(config.signing, slot_.max_sessions))),
      epoch_(epoch),
      statistics_(std::move(statistics)),
      earlier_(std::move(earlier)),
      login_(module_, slot_, login_flags(slot_), config.pin.read(), config.session_wait,
             attempt_of(config, slot_.token.serial)),
      pool_(module_, slot_.id, cap_, config.callers, config.session_wait, *statistics_, login_) {
  module_->count_attachment(true);
}

/// Nobody restarts the module meanwhile: the PIN must not go to whatever then has the slot's
/// number.
std::shared_ptr<Attachment> Attachment::make(const Found& found, const TokenConfig& config,
                                             std::uint64_t epoch,
                                             std::shared_ptr<TokenStatistics> statistics,
                                             Earlier earlier) {
  const Module::Use use(*found.module_, found.generation_);
  return std::shared_ptr<Attachment>(
      new Attachment(found, config, epoch, std::move(statistics), std::move(earlier)));
}

template <typename Count>
std::size_t Attachment::sum(Count count) const {
  std::size_t total = count(*this);
  for (const auto& attachment : earlier_) {
    if (const auto alive = attachment.lock()) {
      total += count(*alive);
    }
  }
  return total;
}

std::size_t Attachment::overdue(std::chrono::steady_clock::time_point before) const {
  return pool_.overdue(before) + calls_.overdue(RunningCalls::Kind::one, before);
}

std::size_t Attachment::blocking(std::chrono::steady_clock::time_point before) const {
  return calls_.overdue(RunningCalls::Kind::blocking, before);
}

std::size_t Attachment::calls_out(std::chrono::steady_clock::time_point before) const {
  return sum([&](const Attachment& each) { return each.overdue(before) + each.blocking(before); });
}

std::string Attachment::trouble_of_calls(const TokenConfig& config) const {
  const auto limit = std::chrono::steady_clock::now() - config.call_limit;
  // Whoever looks for a key may wait for a session, three times.
  const auto looking_limit = limit - 3 * config.session_wait;
  if (sum([&](const Attachment& each) { return each.blocking(looking_limit); }) > 0) {
    return "a key is looked for, and the module does not come back";
  }
  // Of these two the earlier calls first: one that comes back in between is none that hangs.
  const auto answered = std::min(limit, statistics_->last_signature());
  const std::size_t before = sum([&](const Attachment& each) { return each.overdue(answered); });
  const std::size_t out = sum([&](const Attachment& each) { return each.overdue(limit); });
  const std::size_t callers = std::min(config.callers, config.handshakes);
  if (out > 0 && 2 * out >= std::min(pool_.counts().cap, callers)) {
    return std::to_string(out) + " calls of the module have not come back";
  }
  // Where few ask for anything that many never come together.
  if (out >= before + kMostUnanswered) {
    return std::to_string(out - before) + " calls of the module have not come back, and no other";
  }
  return {};
}

void Attachment::refuse_if_all_hang() const {
  pool_.refuse_if_all_hang(cap_, [&](std::chrono::milliseconds time) {
    return calls_.overdue(RunningCalls::Kind::one, std::chrono::steady_clock::now() - time);
  });
}

void Attachment::retire() noexcept {
  if (!current_.exchange(false)) {
    return;
  }
  module_->count_attachment(false);
  pool_.close();
  login_.close();
}

}  // namespace estia::hsm
