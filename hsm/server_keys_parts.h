// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "crypto/base/error.h"
#include "hsm/attachment.h"
#include "hsm/key_pair_pool.h"
#include "hsm/key_wrapper.h"
#include "hsm/server_keys.h"
#include "hsm/session_pair.h"

namespace estia::hsm {

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
  enum class Stock {
    as_wanted,    ///< or Error{config, "serverkeygen.stock"}
    as_possible,  ///< see refused_stock()
  };
  Parts(std::shared_ptr<Attachment> attached, const ServerKeysLimits& limits, Counters& counters,
        const Clock& clock, Stock stock)
      : clock_(clock),
        attached_(std::move(attached)),
        counters_(counters),
        wrapper_(attached_),
        stock_(attached_, checked_stock(limits, stock), counters.destroyed, clock) {}

  [[nodiscard]] const KeyWrapper& wrapper() const noexcept { return wrapper_; }
  /// Throws as ServerKeys::generate for a kind that does not leave the token.
  void require(const crypto::KeySpec& spec) const;
  /// Of that attachment, and not due again: what failed when it was found out may work by now.
  [[nodiscard]] bool serves(const Attachment& attached) const noexcept {
    const Instant now = clock_.now();
    const bool due = now < made_ || now - made_ >= kDoubt;
    return attached_.get() == &attached && !(wrapper_.status().doubtful && due);
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
  /// Null unless a stock is wanted that cannot be.
  [[nodiscard]] const Error* refused_stock() const noexcept {
    return refused_stock_ ? &*refused_stock_ : nullptr;
  }
  /// KeyPairPool::halt.
  [[nodiscard]] bool halt_stock(std::chrono::milliseconds patience) noexcept {
    return stock_.halt(patience);
  }

 private:
  [[nodiscard]] std::map<std::string, std::size_t> checked_stock(const ServerKeysLimits& limits,
                                                                 Stock stock);
  [[nodiscard]] std::optional<KeyWrapper::ContentKey> prepare(SessionPool::Lease& lease,
                                                              const Export& way) const;
  [[nodiscard]] std::optional<crypto::PublicKey> from_stock(const crypto::KeySpec& spec,
                                                            const Export& way);
  [[nodiscard]] crypto::PublicKey make(const crypto::KeySpec& spec, const Export& way);
  [[nodiscard]] crypto::PublicKey deliver(PairGuard& guard, CK_SESSION_HANDLE session,
                                          const crypto::KeySpec& spec, crypto::PublicKey public_key,
                                          const Export& way,
                                          std::optional<KeyWrapper::ContentKey>& content_key);

  static constexpr std::chrono::seconds kDoubt{30};

  const Clock& clock_;
  const Instant made_ = clock_.now();
  const std::shared_ptr<Attachment> attached_;
  Counters& counters_;
  const KeyWrapper wrapper_;
  std::optional<Error> refused_stock_;  // before stock_, whose constructor's argument says it
  KeyPairPool stock_;
};

}  // namespace estia::hsm
