// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "hsm/token_key.h"

namespace estia::hsm {

/// A key whose signatures go out as they are, with nobody between who verifies them (TLS, CMS): a
/// wrong one tells a stranger that the token is faulty, and one by RSA may tell him the key. Any
/// thread.
class CheckedKey final : public SigningKey {
 public:
  /// `signs` makes the signatures of `key`.
  CheckedKey(std::shared_ptr<const SigningKey> signs, std::shared_ptr<const TokenKey> key)
      : signs_(std::move(signs)), key_(std::move(key)) {}

  [[nodiscard]] KeyKind kind() const noexcept override { return signs_->kind(); }
  [[nodiscard]] const crypto::PublicKey& public_key() const noexcept override {
    return signs_->public_key();
  }
  [[nodiscard]] std::size_t longest_signature() const noexcept override {
    return signs_->longest_signature();
  }
  /// Also throws Error{token, "token.wrong_signature"}: the key is distrusted then, and refused for
  /// a while after three in a row.
  [[nodiscard]] Bytes sign(SignMechanism& mechanism, ByteView input) const override;

 private:
  const std::shared_ptr<const SigningKey> signs_;
  const std::shared_ptr<const TokenKey> key_;
};

}  // namespace estia::hsm
