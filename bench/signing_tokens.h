// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bench/signers.h"
#include "crypto/keys/key_spec.h"
#include "hsm/faults/client.h"
#include "hsm/token.h"
#include "tests/support/token_fixture.h"

namespace estia::bench {

/// A token as estiad has it, and beside it a login for bare calls, with sessions for `threads`.
struct OpenToken {
  OpenToken(const hsm::TokenConfig& config, std::size_t threads)
      : token(hsm::Token::open(config)), bare(config, threads) {}

  const std::shared_ptr<hsm::Token> token;
  const BareSessions bare;
};

/// A key of a token for both: through hsm/ and by bare calls.
struct SigningKey {
  /// `open` outlives it. Throws as hsm::Token::key.
  SigningKey(const OpenToken& open, const std::string& label)
      : key(open.token->key(open.token->uri_of(label))),
        bare(open.bare, label, key.public_key(), BareSigner::Object::copy) {}

  const crypto::PrivateKey key;
  const BareSigner bare;
};

/// Two SoftHSM tokens in a directory that goes with this object: one with few objects, one with
/// many; and the first once more behind the module that injects faults. One in a process.
class SigningTokens final {
 public:
  SigningTokens();

  [[nodiscard]] hsm::TokenConfig few() const { return dir_.config(); }
  [[nodiscard]] hsm::TokenConfig many() const;
  /// Open few() before, so that the real module is initialised as estiad initialises it.
  [[nodiscard]] hsm::TokenConfig delayed() const;
  /// Where delayed() takes orders, once it is open.
  [[nodiscard]] std::filesystem::path orders() const { return dir_.folder / "faults.sock"; }

 private:
  const test::TokenDir dir_;
};

/// Makes key pairs until the token, which has one, has that many objects. Throws Error{token}.
void fill(const OpenToken& open, std::size_t objects);

/// Orders to the module that injects faults.
class FaultOrders final {
 public:
  explicit FaultOrders(const std::filesystem::path& socket) : client_(socket) {}

  /// Throws std::runtime_error if it is refused.
  std::string order(const std::string& line);
  /// PKCS #11 calls of this process so far, all functions together.
  [[nodiscard]] double calls();

 private:
  hsm::faults::Client client_;
};

}  // namespace estia::bench
