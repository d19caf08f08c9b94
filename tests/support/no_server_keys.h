// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/error.h"
#include "server/ca/server_keys.h"

namespace estia::test {

/// For tests in which nobody asks for serverkeygen.
class NoServerKeysBase : public ca::ServerKeys {
 public:
  [[nodiscard]] ca::ServerKey generate(const crypto::KeySpec& spec) override {
    throw Error(ErrorCode::internal, "test.server_keys", "no key is made in this test", spec.name);
  }
  [[nodiscard]] ca::EncryptedServerKey generate_for(const crypto::KeySpec& spec,
                                                    const crypto::TokenRecipient&) override {
    throw Error(ErrorCode::internal, "test.server_keys", "no key is made in this test", spec.name);
  }
  [[nodiscard]] crypto::TokenEncryption encryption() const override { return {}; }
  [[nodiscard]] std::string refused() const override { return "none is made in this test"; }
};
class NoServerKeys final : public NoServerKeysBase {};

}  // namespace estia::test
