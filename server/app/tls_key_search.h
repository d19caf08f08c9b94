// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <mutex>

#include "crypto/keys/private_key.h"
#include "hsm/key_uri.h"
#include "server/app/tokens.h"

namespace estia::app {

/// Finds the listener's TLS key in its token, in a thread of its own: nothing brings a call of a
/// module back.
class TlsKeySearch final {
 public:
  /// They outlive this object.
  explicit TlsKeySearch(const Tokens& tokens) : tokens_(tokens) {}

  /// Throws what hsm::Token::key throws, and Error{token, "token.no_answer"} when it is not found
  /// within Tokens::patience(); the search goes on then, with what it found for nobody, and at once
  /// as long as it does: reloads that are asked for again add no threads. One at a time calls it.
  [[nodiscard]] crypto::PrivateKey find(const hsm::KeyUri& uri);

  /// Whether none goes on that nobody waits for.
  [[nodiscard]] bool idle() const;

 private:
  const Tokens& tokens_;
  mutable std::mutex mutex_;                 ///< guards what follows, for a moment
  std::future<crypto::PrivateKey> hanging_;  ///< the last one that was not waited for
};

}  // namespace estia::app
