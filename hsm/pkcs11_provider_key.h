// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <semaphore>

#include "hsm/pkcs11_provider.h"
#include "hsm/signing_key.h"
#include "hsm/token_key.h"

namespace estia::hsm {

/// A private key in a token that pkcs11-provider signs with. Our own TokenKey finds it, compares
/// its public half and refuses one that can leave the token; then the provider loads it by its
/// name, and again what it loaded must have that public half. Any thread.
class Pkcs11ProviderKey final : public SigningKey {
 public:
  /// Makes no call to the token.
  Pkcs11ProviderKey(std::shared_ptr<TokenCore> core, std::shared_ptr<Pkcs11Provider> provider,
                    std::shared_ptr<const TokenKey> key);

  [[nodiscard]] KeyKind kind() const noexcept override { return key_->kind(); }
  [[nodiscard]] const crypto::PublicKey& public_key() const noexcept override {
    return key_->public_key();
  }
  [[nodiscard]] std::size_t longest_signature() const noexcept override {
    return key_->longest_signature();
  }

  /// After a failure the key is loaded anew, twice; the second time in another library context, if
  /// this one has signed nothing yet; and in the next attachment where this one was lost. Throws as
  /// TokenKey::sign.
  [[nodiscard]] Bytes sign(SignMechanism& mechanism, ByteView input) const override;

 private:
  struct Loaded;

  [[nodiscard]] Bytes sign_or_load_anew(const std::shared_ptr<Attachment>& attached,
                                        SignMechanism& mechanism, ByteView input) const;
  [[nodiscard]] Bytes sign_once(const std::shared_ptr<Attachment>& attached,
                                SignMechanism& mechanism, ByteView input) const;
  [[nodiscard]] Bytes sign_in_trial(const std::shared_ptr<Attachment>& attached,
                                    SignMechanism& mechanism, ByteView input) const;
  [[nodiscard]] Bytes sign_with(const Loaded& loaded, Attachment& attached,
                                SignMechanism& mechanism, ByteView input) const;
  [[nodiscard]] std::shared_ptr<const Loaded> loaded_in(
      const std::shared_ptr<Attachment>& attached) const;
  [[nodiscard]] std::shared_ptr<const Loaded> known_in(const Attachment& attached) const;
  [[nodiscard]] std::shared_ptr<const Loaded> load(const Attachment& attached,
                                                   std::uint64_t doubts) const;
  void forget(const std::shared_ptr<const Loaded>& loaded) const;

  const std::shared_ptr<TokenCore> core_;
  const std::shared_ptr<Pkcs11Provider> provider_;
  const std::shared_ptr<const TokenKey> key_;
  mutable std::binary_semaphore loading_{1};  ///< of whoever loads it
  mutable std::mutex mutex_;  ///< guards what follows; not held across a call to the token
  mutable std::shared_ptr<const Loaded> loaded_;
};

}  // namespace estia::hsm
