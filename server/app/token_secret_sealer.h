// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hsm/sealing_key.h"
#include "server/ca/decrypt_keys.h"

namespace estia::app {

/// Secrets of the store, sealed by a key of the token. Any thread.
class TokenSecretSealer final : public ca::SecretSealer {
 public:
  explicit TokenSecretSealer(const hsm::Token& token) : key_(token) {}

  [[nodiscard]] Bytes seal(ByteView secret, ByteView bound_to) override {
    return key_.seal(secret, bound_to);
  }
  [[nodiscard]] SecureBytes open(ByteView sealed, ByteView bound_to) override {
    return key_.open(sealed, bound_to);
  }

 private:
  hsm::SealingKey key_;
};

}  // namespace estia::app
