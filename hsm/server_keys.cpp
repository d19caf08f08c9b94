// SPDX-License-Identifier: Apache-2.0
#include "hsm/server_keys.h"

#include <atomic>
#include <functional>
#include <optional>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/key_pair_pool.h"
#include "hsm/key_wrapper.h"
#include "hsm/objects.h"
#include "hsm/session_pair.h"
#include "hsm/token_core.h"

namespace estia::hsm {
namespace {

/// Counts those who are inside, and lets no more in than the limit.
class Gate final {
 public:
  explicit Gate(std::size_t limit) noexcept : limit_(limit) {}

  class Pass final {
   public:
    explicit Pass(Gate& gate) : gate_(gate) {
      if (gate_.inside_.fetch_add(1) >= gate_.limit_) {
        --gate_.inside_;
        throw Error(ErrorCode::busy, "serverkeygen.busy",
                    "too many keys are being made, try again later",
                    std::to_string(gate_.limit_) + " of this kind are");
      }
    }
    ~Pass() { --gate_.inside_; }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    Pass(Pass&&) = delete;
    Pass& operator=(Pass&&) = delete;

   private:
    Gate& gate_;
  };

  [[nodiscard]] std::size_t inside() const noexcept { return inside_.load(); }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> inside_{0};
};

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

bool is_rsa(const crypto::KeySpec& spec) {
  return spec.name.starts_with("RSA");
}

/// The rules that a client's own key must pass (RFC 7030 4.4 changes who makes it, no more).
void check_public_key(const crypto::PublicKey& made, const crypto::KeySpec& wanted) {
  const auto refuse = [](const std::string& why) {
    throw Error(ErrorCode::token, "token.key_weak", "the token is not available, try again later",
                "the token made a key that must not be certified: " + why);
  };
  if (made.spec() != wanted) {
    refuse("another kind than " + wanted.name);
  }
  try {
    made.check_strength();
  } catch (const Error& error) {
    refuse(error.detail());
  }
}

}  // namespace

class ServerKeys::Parts final {
 public:
  Parts(std::shared_ptr<TokenCore> core, const ServerKeysLimits& limits, const Clock& clock)
      : core_(std::move(core)),
        wrapper_(core_),
        others_(limits.at_once),
        rsa_(limits.rsa_at_once),
        stock_(core_, checked_stock(limits), clock) {}

  [[nodiscard]] const KeyWrapper& wrapper() const noexcept { return wrapper_; }
  void require(const crypto::KeySpec& spec) const {
    if (!wrapper_.can_export(spec)) {
      refuse_export(spec.name, wrapper_.status().refused);
    }
  }
  /// How the private key is taken out of the token. Used again when the first pair was lost.
  struct Export {
    /// Whom a content key is made for, before there is a pair: what fails there is no fault of one.
    const crypto::TokenRecipient* recipient = nullptr;
    std::function<void(CK_SESSION_HANDLE, const SessionPair&, const crypto::PublicKey&,
                       std::optional<KeyWrapper::ContentKey>&)>
        take;
  };
  /// The public key of a new pair that went out by `way`.
  [[nodiscard]] crypto::PublicKey hand_out(const crypto::KeySpec& spec, const Export& way);
  [[nodiscard]] ServerKeysStatus status() const;
  [[nodiscard]] bool halt_stock() noexcept { return stock_.halt(); }

 private:
  [[nodiscard]] const std::map<std::string, std::size_t>& checked_stock(
      const ServerKeysLimits& limits) const;
  [[nodiscard]] std::optional<KeyWrapper::ContentKey> prepare(SessionPool::Lease& lease,
                                                              const Export& way) const;
  [[nodiscard]] std::optional<crypto::PublicKey> from_stock(const crypto::KeySpec& spec,
                                                            const Export& way);
  [[nodiscard]] crypto::PublicKey make(const crypto::KeySpec& spec, const Export& way);
  [[nodiscard]] crypto::PublicKey deliver(PairGuard& guard, CK_SESSION_HANDLE session,
                                          const crypto::KeySpec& spec, crypto::PublicKey public_key,
                                          const Export& way,
                                          std::optional<KeyWrapper::ContentKey>& content_key);

  const std::shared_ptr<TokenCore> core_;
  const KeyWrapper wrapper_;
  Gate others_;
  Gate rsa_;
  std::atomic<std::uint64_t> delivered_{0};
  std::atomic<std::uint64_t> destroyed_{0};
  KeyPairPool stock_;
};

const std::map<std::string, std::size_t>& ServerKeys::Parts::checked_stock(
    const ServerKeysLimits& limits) const {
  for (const auto& [kind, depth] : limits.stock) {
    if (depth > 0 && !wrapper_.can_export(crypto::KeySpec::parse(kind))) {
      throw Error(ErrorCode::config, "serverkeygen.stock",
                  "the token does not let keys of the kind " + kind + " out",
                  wrapper_.status().refused);
    }
  }
  return limits.stock;
}

crypto::PublicKey ServerKeys::Parts::hand_out(const crypto::KeySpec& spec, const Export& way) {
  const ErrorQueueGuard queue;
  if (auto key = from_stock(spec, way)) {
    return std::move(*key);
  }
  const Gate::Pass pass(is_rsa(spec) ? rsa_ : others_);
  return make(spec, way);
}

/// Of the lease's session, and gone before it is given back.
std::optional<KeyWrapper::ContentKey> ServerKeys::Parts::prepare(SessionPool::Lease& lease,
                                                                 const Export& way) const {
  std::optional<KeyWrapper::ContentKey> content_key;
  if (way.recipient != nullptr) {
    try {
      content_key.emplace(wrapper_.make_content_key(lease.handle(), *way.recipient));
    } catch (...) {
      lease.mark_broken();
      throw;
    }
  }
  return content_key;
}

/// Nothing where there is none; also when it turned out to be gone with its session.
std::optional<crypto::PublicKey> ServerKeys::Parts::from_stock(const crypto::KeySpec& spec,
                                                               const Export& way) {
  if (!stock_.has(spec)) {
    return std::nullopt;
  }
  const Gate::Pass pass(others_);  // it takes no longer than one of these
  SessionPool::Lease lease = core_->pool().borrow();
  auto content_key = prepare(lease, way);
  const auto taken = stock_.take(spec);
  if (!taken) {
    return std::nullopt;
  }
  try {
    PairGuard guard(core_->module(), lease, taken->pair().objects);
    return deliver(guard, lease.handle(), spec, taken->pair().public_key, way, content_key);
  } catch (const std::exception& failure) {
    ++destroyed_;
    lease.mark_broken();
    stock_.flush();  // its session may be lost; what could not be destroyed ends with it
    const auto* error = dynamic_cast<const Error*>(&failure);
    if (error != nullptr && error->id() == "token.handle_stale") {
      return std::nullopt;
    }
    throw;
  }
}

crypto::PublicKey ServerKeys::Parts::make(const crypto::KeySpec& spec, const Export& way) {
  SessionPool::Lease lease = core_->pool().borrow();
  auto content_key = prepare(lease, way);
  bool made = false;
  try {
    PairGuard guard(core_->module(), lease,
                    make_session_pair(core_->module(), lease.handle(), spec));
    made = true;
    auto public_key =
        Objects(core_->module(), lease.handle()).public_key(guard.pair().public_object);
    return deliver(guard, lease.handle(), spec, std::move(public_key), way, content_key);
  } catch (...) {
    destroyed_ += made ? 1 : 0;
    lease.mark_broken();
    throw;
  }
}

crypto::PublicKey ServerKeys::Parts::deliver(PairGuard& guard, CK_SESSION_HANDLE session,
                                             const crypto::KeySpec& spec,
                                             crypto::PublicKey public_key, const Export& way,
                                             std::optional<KeyWrapper::ContentKey>& content_key) {
  check_public_key(public_key, spec);
  way.take(session, guard.pair(), public_key, content_key);
  guard.destroy();
  ++delivered_;
  return public_key;
}

ServerKeysStatus ServerKeys::Parts::status() const {
  const KeyWrapperStatus& found = wrapper_.status();
  const KeyPairPool::Counts stock = stock_.counts();
  std::uint64_t ready = 0;
  for (const auto& kind : stock.ready) {
    ready += kind.second;
  }
  return {.mechanism = found.mechanism,
          .wrapping_key = found.wrapping_key,
          .ed25519 = found.ed25519,
          .encryption = found.encryption,
          .refused = found.refused,
          .running = others_.inside() + rsa_.inside(),
          .stock = stock.ready,
          .stock_failure = stock.failure,
          .delivered = delivered_,
          .in_stock = ready,
          .destroyed = found.pairs_tried + destroyed_ + stock.destroyed};
}

ServerKeys::ServerKeys(const Token& token, const ServerKeysLimits& limits, const Clock& clock) {
  check_limits(limits, token.core_->pool().counts().cap);
  parts_ = std::make_unique<Parts>(token.core_, limits, clock);
}

ServerKeys::~ServerKeys() = default;

bool ServerKeys::supports(const crypto::KeySpec& spec) const noexcept {
  return parts_->wrapper().can_export(spec);
}

GeneratedKey ServerKeys::generate(const crypto::KeySpec& spec) {
  parts_->require(spec);
  SecureBytes pkcs8;
  crypto::PublicKey public_key = parts_->hand_out(
      spec, {.take = [&](CK_SESSION_HANDLE session, const SessionPair& pair,
                         const crypto::PublicKey& public_half, const auto&) {
        pkcs8 = parts_->wrapper().export_key(session, pair.private_object, public_half);
      }});
  return {std::move(pkcs8), std::move(public_key)};
}

GeneratedEncryptedKey ServerKeys::generate_for(const crypto::KeySpec& spec,
                                               const crypto::TokenRecipient& recipient) {
  parts_->require(spec);
  crypto::TokenEncryptedKey key;
  crypto::PublicKey public_key = parts_->hand_out(
      spec, {.recipient = &recipient,
             .take = [&](CK_SESSION_HANDLE session, const SessionPair& pair, const auto&,
                         auto& content_key) {
               key = parts_->wrapper().encrypt_key(session, pair, spec, content_key.value());
             }});
  return {std::move(key), std::move(public_key)};
}

const crypto::TokenEncryption& ServerKeys::encryption() const noexcept {
  return parts_->wrapper().status().encryption;
}

ServerKeysStatus ServerKeys::status() const {
  return parts_->status();
}

bool ServerKeys::halt_stock() noexcept {
  return parts_->halt_stock();
}

}  // namespace estia::hsm
