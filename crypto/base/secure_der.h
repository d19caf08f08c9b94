// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "crypto/base/der.h"
#include "crypto/base/secure_bytes.h"

namespace estia::der {

/// DER around a private key, described before it is written: the functions of der.h would leave a
/// copy of the key in ordinary memory at each level of nesting. Holds everything but the secret,
/// which is borrowed and copied once, by written().
class Layout final {
 public:
  /// Complete TLVs that anybody may see.
  Layout(Bytes shown);  // NOLINT(google-explicit-constructor): so that code reads like the ASN.1
  /// Complete TLVs, or the content of one, that hold a secret. The bytes must outlive the layout.
  [[nodiscard]] static Layout secret(const SecureBytes& bytes);
  [[nodiscard]] static Layout element(std::uint8_t tag, std::vector<Layout> parts);
  [[nodiscard]] static Layout sequence(std::vector<Layout> parts) {
    return element(0x30, std::move(parts));
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// One allocation of exactly size() octets. Throws what SecureBytes throws.
  [[nodiscard]] SecureBytes written() const;

 private:
  Layout() = default;
  std::span<std::uint8_t> write(std::span<std::uint8_t> out) const;

  Bytes shown_{};  // a header where there are parts
  ByteView secret_{};
  std::vector<Layout> parts_{};
  std::size_t size_ = 0;
};

}  // namespace estia::der
