// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace estia::hsm {

/// A file that says that a token refused its PIN: nobody tries it again by himself, not after a
/// restart either, until an operator says so. Every further attempt could be the one that locks the
/// token. It holds the token's serial number and when, nothing of the PIN.
class PinMarker final {
 public:
  /// An empty path: nothing is kept.
  explicit PinMarker(std::filesystem::path file) : file_(std::move(file)) {}

  /// When this token refused its PIN; nullopt if it did not. A marker that cannot be read counts.
  [[nodiscard]] std::optional<std::string> refused(const std::string& serial) const;
  /// Whether it could be written, if it had to: without it nobody may try a PIN. Throws
  /// Error{token, "token.marker"}.
  void require_writable() const;
  /// Throws as replace_file().
  void set(const std::string& serial) const;
  /// Throws Error{config, "token.marker"} when it cannot be removed.
  void clear() const;

 private:
  std::filesystem::path file_;
};

}  // namespace estia::hsm
