// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "crypto/base/bytes.h"

namespace estia {

/// A PIN, password or code: wiped when it goes, never printable, never copied by accident.
/// Not safe for concurrent writes; reading from several threads is fine.
class Secret final {
 public:
  Secret() = default;
  explicit Secret(ByteView bytes);
  explicit Secret(std::string_view text) : Secret(as_bytes(text)) {}
  ~Secret();
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;  // a copy is a second place to wipe: say clone() if you mean it
  Secret& operator=(const Secret&) = delete;

  [[nodiscard]] Secret clone() const { return Secret(view()); }
  [[nodiscard]] ByteView view() const noexcept { return bytes_; }
  [[nodiscard]] std::string_view text() const noexcept { return as_text(bytes_); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

 private:
  void wipe() noexcept;
  Bytes bytes_;
};

/// Wipes a buffer that held a secret for a moment.
void cleanse(std::span<std::uint8_t> bytes) noexcept;
void cleanse(std::string& text) noexcept;
/// `to += text`; where that takes more room, what was in the old one is cleansed.
void append_secret(std::string& to, std::string_view text);

}  // namespace estia
