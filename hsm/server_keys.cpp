// SPDX-License-Identifier: Apache-2.0
#include "hsm/server_keys.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/server_keys_parts.h"
#include "hsm/token_core.h"
#include "hsm/turn.h"
#include "hsm/with_session.h"

namespace estia::hsm {
namespace {

constexpr std::chrono::seconds kLook{1};
/// Of sessions, before the token said how many it has.
constexpr std::size_t kUnknown = std::numeric_limits<std::size_t>::max();

bool wants_stock(const ServerKeysLimits& limits) {
  return std::ranges::any_of(limits.stock, [](const auto& kind) { return kind.second > 0; });
}

/// One session at least is left to signing, so that keys for clients never stop it.
void check_limits(const ServerKeysLimits& limits, std::size_t sessions) {
  for (const auto& [kind, depth] : limits.stock) {
    static_cast<void>(crypto::KeySpec::parse(kind));
    if (depth > ServerKeysLimits::kMostStock) {
      throw Error(ErrorCode::config, "serverkeygen.stock",
                  "a stock has at most " + std::to_string(ServerKeysLimits::kMostStock) +
                      " pairs of a kind");
    }
  }
  const std::size_t needed = limits.at_once + limits.rsa_at_once + (wants_stock(limits) ? 1 : 0);
  if (needed >= sessions) {
    throw Error(ErrorCode::config, "serverkeygen.sessions",
                "keys at once and a stock would take " + std::to_string(needed) + " of the " +
                    std::to_string(sessions) + " sessions of the token, and leave none to signing");
  }
}

}  // namespace

ServerKeys::ServerKeys(const Token& token, const ServerKeysLimits& limits, const Clock& clock,
                       FindOut when)
    : core_(token.core_),
      limits_(limits),
      clock_(clock),
      when_(when),
      counters_(std::make_unique<Counters>(limits)) {
  // Without one it is found out when the token is there.
  const std::shared_ptr<Attachment> attached = core_->recovery().attachment_now();
  check_limits(limits, attached ? attached->pool().counts().cap : kUnknown);
  if (when == FindOut::now) {
    if (attached) {
      try_parts(attached);
    }
    if (wants_stock(limits)) {
      start_keeper(kLook);
    }
  }
}

void ServerKeys::begin(Told told) {
  told_ = std::move(told);
  start_keeper(std::chrono::seconds(0));
}

void ServerKeys::start_keeper(std::chrono::seconds pause) {
  keeper_ = std::thread([this, pause] { keep(pause); });
}

ServerKeys::~ServerKeys() {
  static_cast<void>(halt_stock());
  if (keeper_.joinable()) {
    keeper_.join();
  }
}

/// A token that fails at this moment may not later: who asks for a key finds out then.
void ServerKeys::try_parts(const std::shared_ptr<Attachment>& attached) {
  try {
    static_cast<void>(parts_in(attached));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::token && error.code() != ErrorCode::busy) {
      throw;
    }
    const std::scoped_lock lock(mutex_);
    none_because_ = error.id() + " " + error.detail();
    if (const auto* told = dynamic_cast<const TokenError*>(&error)) {
      core_->recovery().report(*attached, told->fault());
    }
  }
}

/// The token was not there when the limits were checked.
void ServerKeys::require_sessions(const Attachment& attached) const {
  if (when_ == FindOut::now) {
    return;
  }
  try {
    check_limits(limits_, attached.pool().counts().cap);
  } catch (const Error& error) {
    throw Error(ErrorCode::conflict, "serverkeygen.unsupported",
                "keys of this kind are not made here", error.id() + ": " + error.what());
  }
}

std::shared_ptr<ServerKeys::Parts> ServerKeys::parts() const {
  const std::scoped_lock lock(mutex_);
  return parts_;
}

/// One thread finds out what the token does; the others wait for it, but not for ever.
std::shared_ptr<ServerKeys::Parts> ServerKeys::parts_in(
    const std::shared_ptr<Attachment>& attached) {
  constexpr std::chrono::seconds kPatience{5};
  const auto known = [&]() -> std::shared_ptr<Parts> {
    const std::shared_ptr<Parts> now = parts();
    return now && now->serves(*attached) ? now : nullptr;
  };
  if (auto now = known()) {
    return now;
  }
  std::vector<std::shared_ptr<Parts>> gone;  // they go when others may have their turn
  const Turn finding_out(finding_out_, kPatience);
  if (!finding_out.mine()) {
    throw Error(ErrorCode::busy, "serverkeygen.busy",
                "too many keys are being made, try again later",
                "what the token lets out is being found out");
  }
  if (auto now = known()) {
    return now;
  }
  require_sessions(*attached);
  const auto sort = when_ == FindOut::now ? Parts::Stock::as_wanted : Parts::Stock::as_possible;
  auto made = std::make_shared<Parts>(attached, limits_, *counters_, clock_, sort);
  counters_->tried += made->wrapper().status().pairs_tried;
  const std::scoped_lock lock(mutex_);
  if (parts_) {
    past_.push_back(std::move(parts_));
  }
  parts_ = made;
  // A stock may be making a pair, for minutes: its end is not waited for here.
  const auto halted = std::partition(past_.begin(), past_.end(),
                                     [](const auto& past) { return !past->halt_stock({}); });
  std::move(halted, past_.end(), std::back_inserter(gone));
  past_.erase(halted, past_.end());
  return made;
}

template <class Make>
auto ServerKeys::with_parts(Make&& make) {
  return with_recovery(*core_, [&](const std::shared_ptr<Attachment>& attached) {
    return make(*parts_in(attached));
  });
}

/// The next attachment's, as soon as there is one: who asks for a key first should not pay for it.
/// Without a stock once is enough: a login of the token's is not worth a search for primes.
void ServerKeys::keep(std::chrono::seconds pause) {
  constexpr std::chrono::seconds kAfterFailure{10};
  bool told = !told_;  // whoever asked for a key first may have found it out
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, pause, [&] { return stop_; })) {
    pause = kLook;
    if (told && parts_ && !wants_stock(limits_)) {
      return;
    }
    const std::shared_ptr<Attachment> now = core_->recovery().attachment_now();
    if (!now || (told && parts_ && parts_->serves(*now))) {
      continue;
    }
    preparing_ = true;
    lock.unlock();
    try {
      const ErrorQueueGuard queue;
      prepare();
      told = true;
    } catch (const std::exception&) {
      pause = kAfterFailure;  // whoever asks for a key is told why
    }
    lock.lock();
    preparing_ = false;
    changed_.notify_all();
  }
}

void ServerKeys::prepare() {
  try {
    with_parts([](Parts&) {});
  } catch (const Error& error) {
    if (told_ && error.code() == ErrorCode::conflict && !std::exchange(said_no_, true)) {
      told_(&error);
    }
    const std::scoped_lock lock(mutex_);
    none_because_ = error.id() + " " + (error.detail().empty() ? error.what() : error.detail());
    throw;
  }
  const auto found = parts();
  if (told_ && found) {
    told_(found->refused_stock());
  }
}

bool ServerKeys::supports(const crypto::KeySpec& spec) const noexcept {
  const auto now = parts();
  return now == nullptr || now->wrapper().status().doubtful || now->wrapper().can_export(spec);
}

GeneratedKey ServerKeys::generate(const crypto::KeySpec& spec) {
  return with_parts([&](Parts& parts) {
    parts.require(spec);
    SecureBytes pkcs8;
    crypto::PublicKey public_key = parts.hand_out(
        spec, {.take = [&](CK_SESSION_HANDLE session, const SessionPair& pair,
                           const crypto::PublicKey& public_half, const auto&) {
          pkcs8 = parts.wrapper().export_key(session, pair.private_object, public_half);
        }});
    return GeneratedKey{std::move(pkcs8), std::move(public_key)};
  });
}

GeneratedEncryptedKey ServerKeys::generate_for(const crypto::KeySpec& spec,
                                               const crypto::TokenRecipient& recipient) {
  return with_parts([&](Parts& parts) {
    parts.require(spec);
    crypto::TokenEncryptedKey key;
    crypto::PublicKey public_key = parts.hand_out(
        spec, {.recipient = &recipient,
               .take = [&](CK_SESSION_HANDLE session, const SessionPair& pair, const auto&,
                           auto& content_key) {
                 key = parts.wrapper().encrypt_key(session, pair, spec, content_key.value());
               }});
    return GeneratedEncryptedKey{std::move(key), std::move(public_key)};
  });
}

crypto::TokenEncryption ServerKeys::encryption() {
  if (const auto now = parts()) {
    return now->wrapper().status().encryption;
  }
  return with_parts([](Parts& parts) { return parts.wrapper().status().encryption; });
}

ServerKeysStatus ServerKeys::status() const {
  if (const auto now = parts()) {
    return now->status();
  }
  ServerKeysStatus none;
  const std::scoped_lock lock(mutex_);
  none.refused = none_because_;
  return none;
}

bool ServerKeys::halt_stock() noexcept {
  constexpr std::chrono::seconds kPatience{1};
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::vector<std::shared_ptr<Parts>> all;
  bool halted = false;
  {
    std::unique_lock lock(mutex_);
    stop_ = true;
    changed_.notify_all();
    halted = changed_.wait_until(lock, deadline, [&] { return !preparing_; });
    all = past_;
    if (parts_) {
      all.push_back(parts_);
    }
  }
  for (const auto& parts : all) {
    const auto left = deadline - std::chrono::steady_clock::now();
    halted = parts->halt_stock(std::chrono::ceil<std::chrono::milliseconds>(left)) && halted;
  }
  return halted;
}

}  // namespace estia::hsm
