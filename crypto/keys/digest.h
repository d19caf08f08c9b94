// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string_view>

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
/// By OpenSSL's name ("SHA2-384"), over the parts one after the other; what it kept of them is
/// wiped. Fetched each time. Throws Error{internal, "openssl.failed"} for a name it does not know.
[[nodiscard]] Bytes digest(std::string_view name, std::initializer_list<ByteView> parts);
/// For fingerprints that a person compares; fetched each time.
[[nodiscard]] Bytes sha512(ByteView bytes);  ///< 64 bytes

}  // namespace estia::crypto
