// SPDX-License-Identifier: Apache-2.0
#include "server/app/token_server_keys.h"

#include <utility>

#include "crypto/base/error.h"
#include "crypto/base/secure_bytes.h"
#include "server/ops/log.h"

namespace estia::app {
namespace {

/// Some 100 answers with RSA-4096 keys that wait for their clients to read.
constexpr std::size_t kSecureHeap = 4U << 20U;

void warn(const char* event, const Error& error) {
  ops::log(ops::Level::warning, event,
           {{"id", error.id()}, {"reason", error.what()}, {"detail", error.detail()}});
}

}  // namespace

TokenServerKeys::TokenServerKeys(const hsm::Token& token, const hsm::ServerKeysLimits& limits,
                                 const Clock& clock) {
  try {
    open_secure_heap(kSecureHeap);
    keys_ =
        std::make_unique<hsm::ServerKeys>(token, limits, clock, hsm::ServerKeys::FindOut::later);
  } catch (const Error& error) {
    // A stock is asked for by name. What machine, token or session limit lack otherwise is no
    // reason not to issue.
    if (error.id() == "serverkeygen.stock") {
      throw;
    }
    why_ = error.what();
    warn("serverkeygen.off", error);
  }
}

void TokenServerKeys::begin(std::function<void()> known) {
  if (!keys_) {
    known();
    return;
  }
  keys_->begin([known = std::move(known)](const Error* refused) {
    if (refused != nullptr && refused->id() != "serverkeygen.stock") {
      warn("serverkeygen.off", *refused);
      return;
    }
    if (refused != nullptr) {
      warn("serverkeygen.stock", *refused);
    }
    known();
  });
}

ca::ServerKey TokenServerKeys::generate(const crypto::KeySpec& spec) {
  hsm::GeneratedKey key = keys().generate(spec);
  return {.private_key = std::move(key.pkcs8), .public_key = std::move(key.public_key)};
}

ca::EncryptedServerKey TokenServerKeys::generate_for(const crypto::KeySpec& spec,
                                                     const crypto::TokenRecipient& recipient) {
  hsm::GeneratedEncryptedKey key = keys().generate_for(spec, recipient);
  return {.key = std::move(key.key), .public_key = std::move(key.public_key)};
}

crypto::TokenEncryption TokenServerKeys::encryption() const {
  return keys_ ? keys_->encryption() : crypto::TokenEncryption();
}

hsm::ServerKeys& TokenServerKeys::keys() const {
  if (!keys_) {
    throw Error(ErrorCode::conflict, "serverkeygen.unsupported",
                "keys of this kind are not made here", why_);
  }
  return *keys_;
}

hsm::ServerKeysStatus TokenServerKeys::status() const {
  if (keys_) {
    return keys_->status();
  }
  hsm::ServerKeysStatus none;
  none.refused = why_;
  return none;
}

}  // namespace estia::app
