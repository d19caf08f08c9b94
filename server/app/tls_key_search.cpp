// SPDX-License-Identifier: Apache-2.0
#include "server/app/tls_key_search.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "crypto/base/error.h"
#include "server/app/own_thread.h"

namespace estia::app {

crypto::PrivateKey TlsKeySearch::find(const hsm::KeyUri& uri) {
  auto key = in_own_thread([token = tokens_.of(uri).shared_from_this(), uri] {
    return token->key(uri, hsm::SignatureCheck::ours);
  });
  const auto end = std::chrono::steady_clock::now() + tokens_.patience();
  try {
    return answer_of(key, end, "the TLS key is still being looked for");
  } catch (const Error&) {
    if (key.valid()) {  // it is not back
      const std::lock_guard lock(mutex_);
      std::erase_if(hanging_, [](const auto& search) { return is_back(search); });
      hanging_.push_back(std::move(key));
    }
    throw;
  }
}

bool TlsKeySearch::idle() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(hanging_, [](const auto& search) { return is_back(search); });
}

}  // namespace estia::app
