// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/core.h>

#include <memory>

#include "crypto/openssl/owned.h"
#include "hsm/signing_key.h"

namespace estia::hsm::provider {

/// One signing operation of OpenSSL's with a token key: collects the message's hash and what was
/// asked for (digest, RSA padding, salt), then signs. One thread at a time. The functions throw;
/// the provider's entry points turn that into OpenSSL's return values.
class SignatureContext final {
 public:
  SignatureContext() = default;
  ~SignatureContext() = default;
  SignatureContext(const SignatureContext& other);
  SignatureContext& operator=(const SignatureContext&) = delete;
  SignatureContext(SignatureContext&&) = delete;
  SignatureContext& operator=(SignatureContext&&) = delete;

  /// Starts with that key, or the one it has if `key` is null.
  void begin(std::shared_ptr<const SigningKey> key, const OSSL_PARAM parameters[]);
  /// Starts hashing. `digest` null or empty: the key's usual one (none for Ed25519).
  void begin_message(std::shared_ptr<const SigningKey> key, const char* digest,
                     const OSSL_PARAM parameters[]);
  void update(ByteView part);

  [[nodiscard]] std::size_t longest() const;
  [[nodiscard]] Bytes finish();                      ///< of what update() was given
  [[nodiscard]] Bytes sign_message(ByteView whole);  ///< the only way for Ed25519
  [[nodiscard]] Bytes sign_hash(ByteView hash) const;

  void set(const OSSL_PARAM parameters[]);
  [[nodiscard]] bool get(OSSL_PARAM parameters[]) const;

 private:
  [[nodiscard]] const SigningKey& key() const;
  [[nodiscard]] const SignDigest& digest() const;
  [[nodiscard]] Bytes algorithm_identifier() const;
  [[nodiscard]] unsigned salt_length() const;
  [[nodiscard]] bool get_pss(OSSL_PARAM parameters[]) const;
  void choose_digest(const char* name);
  void set_padding(const OSSL_PARAM& parameter);
  void set_salt(const OSSL_PARAM& parameter);

  std::shared_ptr<const SigningKey> key_;
  const SignDigest* digest_ = nullptr;
  crypto::EvpMdCtxPtr hash_;
  bool pss_ = false;
  int salt_ = -1;  // bytes, or one of OpenSSL's RSA_PSS_SALTLEN_* (-1: as long as the digest)
  const SignDigest* mask_digest_ = nullptr;  // must equal digest_ when it is used
};

}  // namespace estia::hsm::provider
