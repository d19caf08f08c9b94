// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include "crypto/base/secret.h"

namespace estia::admin {

/// A PIN file that changes with its token's PIN. The new file is written beside the old one first
/// (FILE.next), then the token is changed, then the new file takes the old one's place: wherever
/// this ends half-way, one of the two files has the PIN that the token has.
class PinFileChange final {
 public:
  /// Follows links. Throws Error{config, "file.unreadable"} where there is no such file.
  explicit PinFileChange(const std::filesystem::path& pin_file);

  /// Throws Error{conflict, "token.pin_unfinished"} where an earlier change did not end,
  /// Error{store, "file.unwritable"}.
  void prepare(const Secret& new_pin);
  /// The PIN of a change that did not end; nullopt: there is none. Throws as read_secret_file.
  [[nodiscard]] std::optional<Secret> prepared() const;
  /// The token has the new PIN. Throws Error{store, "file.unwritable"}; FILE.next is still there
  /// then.
  void commit();
  /// The token has the old PIN.
  void discard();

  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }
  [[nodiscard]] const std::filesystem::path& next() const noexcept { return next_; }

 private:
  std::filesystem::path file_;
  std::filesystem::path next_;
};

}  // namespace estia::admin
