// SPDX-License-Identifier: Apache-2.0
#include "hsm/server_keys.h"

#include <algorithm>
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
#include "hsm/with_session.h"

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

/// Of all attachments together.
struct ServerKeys::Counters {
  explicit Counters(const ServerKeysLimits& limits)
      : others(limits.at_once), rsa(limits.rsa_at_once) {}
  Gate others;
  Gate rsa;
  std::atomic<std::uint64_t> delivered{0};
  std::atomic<std::uint64_t> destroyed{0};
  std::atomic<std::uint64_t> tried{0};  ///< pairs made to find out the mechanism
};

/// What one attachment offers: wrapping key and stock are gone with it.
class ServerKeys::Parts final {
 public:
  Parts(std::shared_ptr<Attachment> attached, const ServerKeysLimits& limits, Counters& counters,
        const Clock& clock)
      : attached_(std::move(attached)),
        counters_(counters),
        wrapper_(attached_),
        stock_(attached_, checked_stock(limits), counters.destroyed, clock) {}

  [[nodiscard]] const Attachment& attachment() const noexcept { return *attached_; }

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

  const std::shared_ptr<Attachment> attached_;
  Counters& counters_;
  const KeyWrapper wrapper_;
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
  const Gate::Pass pass(is_rsa(spec) ? counters_.rsa : counters_.others);
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
  const Gate::Pass pass(counters_.others);  // it takes no longer than one of these
  SessionPool::Lease lease = attached_->pool().borrow();
  auto content_key = prepare(lease, way);
  const auto taken = stock_.take(spec);
  if (!taken) {
    return std::nullopt;
  }
  try {
    PairGuard guard(attached_->module(), lease, taken->pair().objects);
    return deliver(guard, lease.handle(), spec, taken->pair().public_key, way, content_key);
  } catch (const std::exception& failure) {
    ++counters_.destroyed;
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
  SessionPool::Lease lease = attached_->pool().borrow();
  auto content_key = prepare(lease, way);
  bool made = false;
  try {
    PairGuard guard(attached_->module(), lease,
                    make_session_pair(attached_->module(), lease.handle(), spec));
    made = true;
    auto public_key =
        Objects(attached_->module(), lease.handle()).public_key(guard.pair().public_object);
    return deliver(guard, lease.handle(), spec, std::move(public_key), way, content_key);
  } catch (...) {
    counters_.destroyed += made ? 1 : 0;
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
  ++counters_.delivered;
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
          .running = counters_.others.inside() + counters_.rsa.inside(),
          .stock = stock.ready,
          .stock_failure = stock.failure,
          .delivered = counters_.delivered,
          .in_stock = ready,
          .destroyed = counters_.tried + counters_.destroyed};
}

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
  const std::unique_lock finding_out(finding_out_, kPatience);
  if (!finding_out.owns_lock()) {
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
