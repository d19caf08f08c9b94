// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "crypto/base/secure_bytes.h"
#include "hsm/token.h"

namespace estia::hsm {

/// Seals secrets that are kept outside the token under an AES-256 key inside it, by AES-GCM with a
/// random IV. The key is a token object labelled kLabel, made in the token, sensitive and never
/// extractable, and may do nothing but this; whoever shares the token shares the key. Any thread.
///
/// open_secure_heap() must have been called before open().
class SealingKey final {
 public:
  static constexpr const char* kLabel = "estia-sealing-key";
  static constexpr std::size_t kMostSealed = 1024;  ///< bytes

  /// Makes no call to the token.
  explicit SealingKey(const Token& token);
  ~SealingKey();  ///< gives up the copy in the login session
  SealingKey(const SealingKey&) = delete;
  SealingKey& operator=(const SealingKey&) = delete;
  SealingKey(SealingKey&&) = delete;
  SealingKey& operator=(SealingKey&&) = delete;

  /// Only open() gives the secret back, and only with the same `bound_to`: what is sealed for one
  /// owner is worth nothing in the place of another's. Makes the key in the token when there is
  /// none: nobody else may search the token meanwhile (SoftHSM fails then). Throws
  /// Error{conflict, "sealing.unsupported"} when the token has no AES-GCM or makes no such key,
  /// Error{conflict, "sealing.key_ambiguous"} for two keys, Error{config, "sealing.size"} for a
  /// secret that is empty or over kMostSealed, Error{token}, Error{busy}.
  [[nodiscard]] Bytes seal(ByteView secret, ByteView bound_to);

  /// Throws Error{token, "sealing.key_missing"} where the token lacks the key that sealed it,
  /// Error{store, "sealing.broken"} for what seal() did not make, or made for another owner,
  /// Error{token}, Error{busy}.
  [[nodiscard]] SecureBytes open(ByteView sealed, ByteView bound_to);

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace estia::hsm
