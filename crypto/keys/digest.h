// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/openssl/owned.h"

namespace estia::crypto {

/// SHA-256 in library(). One object per digest; not shared between threads.
class Sha256 final {
 public:
  Sha256();
  void update(ByteView bytes);
  /// The bytes with their length in front (8 octets, big-endian), so that no two lists of fields
  /// give the same input.
  void field(ByteView bytes);
  [[nodiscard]] Bytes finish();  ///< 32 bytes; call once

 private:
  EvpMdCtxPtr context_;
};

[[nodiscard]] Bytes sha256(ByteView bytes);
/// For fingerprints that a person compares; fetched each time.
[[nodiscard]] Bytes sha512(ByteView bytes);  ///< 64 bytes

}  // namespace estia::crypto
