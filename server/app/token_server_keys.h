// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "hsm/server_keys.h"
#include "server/ca/server_keys.h"

namespace estia::app {

/// Key pairs for clients, made in the token. Any thread.
class TokenServerKeys final : public ca::ServerKeys {
 public:
  /// Opens the secure heap; calls no token. A machine or a token that gives no keys out, or has no
  /// sessions to spare, is no error as long as nobody asks: status() says why, generate() refuses.
  /// Throws Error{config, "serverkeygen.stock"} for more than a stock may have. The clock outlives
  /// this object.
  TokenServerKeys(const hsm::Token& token, const hsm::ServerKeysLimits& limits, const Clock& clock);

  /// Once: finds out how keys leave the token, in a thread, whenever it answers. That thread calls
  /// `known` each time (the caller's, where there are no keys). What the configuration asks for in
  /// vain is logged.
  void begin(std::function<void()> known);

  /// Throws what hsm::ServerKeys::generate throws, Error{conflict, "serverkeygen.unsupported"}
  /// where there is none.
  [[nodiscard]] ca::ServerKey generate(const crypto::KeySpec& spec) override;

  [[nodiscard]] ca::EncryptedServerKey generate_for(
      const crypto::KeySpec& spec, const crypto::TokenRecipient& recipient) override;
  [[nodiscard]] crypto::TokenEncryption encryption() const override;
  [[nodiscard]] std::string refused() const override { return status().refused; }

  [[nodiscard]] hsm::ServerKeysStatus status() const;

  /// As hsm::ServerKeys::halt_stock.
  [[nodiscard]] bool halt_stock() noexcept { return !keys_ || keys_->halt_stock(); }

 private:
  [[nodiscard]] hsm::ServerKeys& keys() const;

  std::unique_ptr<hsm::ServerKeys> keys_;  // null: `why_` says why
  std::string why_;
};

}  // namespace estia::app
