// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include "tests/support/shim.h"
#include "tests/token/token_test_base.h"

namespace estia::hsm {

/// A token behind the shim module.
class ShimTest : public TokenTest {
 protected:
  [[nodiscard]] TokenConfig config() const {
    TokenConfig through_shim = dir_.config();
    through_shim.module = test::Shim::path();
    return through_shim;
  }
  [[nodiscard]] std::shared_ptr<Token> open_shim() const { return Token::open(config()); }

  /// True if the key signs what its public half verifies.
  [[nodiscard]] static bool signs(const crypto::PrivateKey& key) {
    const Bytes message = {1, 2, 3};
    const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
    return key.public_key().verify(message, key.sign(message), algorithm);
  }

  test::Shim shim_{dir_.module};
};

}  // namespace estia::hsm
