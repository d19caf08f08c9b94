// SPDX-License-Identifier: Apache-2.0
#include "hsm/server_keys.h"

#include <algorithm>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/server_keys_parts.h"
#include "hsm/token_core.h"
#include "hsm/turn.h"
#include "hsm/with_session.h"

namespace estia::hsm {
namespace {

/// One session at least is left to signing, so that keys for clients never stop it.
void check_limits(const ServerKeysLimits& limits, std::size_t sessions) {
  bool stock = false;
  for (const auto& [kind, depth] : limits.stock) {
    static_cast<void>(crypto::KeySpec::parse(kind));
    if (depth > ServerKeysLimits::kMostStock) {
      throw Error(ErrorCode::config, "serverkeygen.stock",
                  "a stock has at most " + std::to_string(ServerKeysLimits::kMostStock) +
                      " pairs of a kind");
    }
    stock = stock || depth > 0;
  }
  const std::size_t needed = limits.at_once + limits.rsa_at_once + (stock ? 1 : 0);
  if (needed >= sessions) {
    throw Error(ErrorCode::config, "serverkeygen.sessions",
                "keys at once and a stock would take " + std::to_string(needed) + " of the " +
                    std::to_string(sessions) + " sessions of the token, and leave none to signing");
  }
}

}  // namespace

ServerKeys::ServerKeys(const Token& token, const ServerKeysLimits& limits, const Clock& clock)
    : core_(token.core_),
      limits_(limits),
      clock_(clock),
      counters_(std::make_unique<Counters>(limits)) {
  const std::shared_ptr<Attachment> attached = core_->recovery().attachment_now();
  if (!attached) {
    return;  // found out when the token is there
  }
  check_limits(limits, attached->pool().counts().cap);
  static_cast<void>(parts_in(attached));
}

ServerKeys::~ServerKeys() = default;

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
    return now && &now->attachment() == attached.get() ? now : nullptr;
  };
  if (auto now = known()) {
    return now;
  }
  const Turn finding_out(finding_out_, kPatience);
  if (!finding_out.mine()) {
    throw Error(ErrorCode::busy, "serverkeygen.busy",
                "too many keys are being made, try again later",
                "what the token lets out is being found out");
  }
  if (auto now = known()) {
    return now;
  }
  auto made = std::make_shared<Parts>(attached, limits_, *counters_, clock_);
  counters_->tried += made->wrapper().status().pairs_tried;
  std::vector<std::shared_ptr<Parts>> gone;  // they go after the lock
  const std::scoped_lock lock(mutex_);
  if (parts_) {
    past_.push_back(std::move(parts_));
  }
  parts_ = made;
  // A stock may be making a pair, for minutes: its end is not waited for here.
  const auto halted = std::partition(past_.begin(), past_.end(),
                                     [](const auto& past) { return !past->halt_stock(); });
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

bool ServerKeys::supports(const crypto::KeySpec& spec) const noexcept {
  const auto now = parts();
  return now == nullptr || now->wrapper().can_export(spec);
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
  none.refused = "the token has not been there yet";
  return none;
}

bool ServerKeys::halt_stock() noexcept {
  const std::scoped_lock lock(mutex_);
  bool halted = parts_ == nullptr || parts_->halt_stock();
  for (const auto& past : past_) {
    halted = past->halt_stock() && halted;
  }
  return halted;
}

}  // namespace estia::hsm
