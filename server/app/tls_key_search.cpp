// SPDX-License-Identifier: Apache-2.0
#include "server/app/tls_key_search.h"

#include <chrono>
#include <utility>

#include "crypto/base/error.h"
#include "server/app/own_thread.h"

namespace estia::app {

crypto::PrivateKey TlsKeySearch::find(const hsm::KeyUri& uri) {
  if (!idle()) {
    throw Error(ErrorCode::token, "token.no_answer", "the token does not answer",
                "an earlier search for the TLS key is not back");
  }
  auto key = in_own_thread([token = tokens_.of(uri).shared_from_this(), uri] {
    return token->key(uri, hsm::SignatureCheck::ours);
  });
  const auto end = std::chrono::steady_clock::now() + tokens_.patience();
  try {
    return answer_of(key, end, "the TLS key is still being looked for");
  } catch (const Error&) {
    if (key.valid()) {  // it is not back
      const std::lock_guard lock(mutex_);
      hanging_ = std::move(key);
    }
    throw;
  }
}

bool TlsKeySearch::idle() const {
  const std::lock_guard lock(mutex_);
  return !hanging_.valid() || is_back(hanging_);
}

}  // namespace estia::app
