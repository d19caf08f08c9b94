// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "hsm/pin_source.h"

namespace estia::hsm {

/// A file that says which tokens refused their PIN: nobody tries it again by himself, not after a
/// restart either, until an operator says so. Every further attempt could be the one that locks the
/// token. It holds serial numbers and when, nothing of the PIN. A second one beside it lies there
/// while an attempt is going on: if the process dies in it, the next one asks the token whether it
/// counted a wrong PIN. Any thread.
class PinMarker final {
 public:
  /// An empty path: nothing is kept.
  explicit PinMarker(std::filesystem::path file) : file_(std::move(file)) {}

  /// When this token refused its PIN; nullopt if it did not. A marker that cannot be read counts.
  [[nodiscard]] std::optional<std::string> refused(const std::string& serial) const;
  /// Throws as replace_file().
  void set(const std::string& serial) const;
  /// Throws Error{config, "token.marker"} when it cannot be removed.
  void clear() const;

  /// Also finds out whether a refusal could be noted, if it had to: without that nobody may try a
  /// PIN. Throws Error{token, "token.marker"}.
  void begin_attempt(const std::string& serial) const;
  /// Its end is known, and noted if need be.
  void end_attempt() const noexcept;
  /// An attempt with this token began whose end nobody knows.
  [[nodiscard]] bool unsettled(const std::string& serial) const;

 private:
  [[nodiscard]] std::filesystem::path trial() const { return file_.string() + ".trial"; }

  std::filesystem::path file_;
};

/// So that nobody tries it again by himself. Whatever becomes of the note: a held one is gone.
void note_refused_pin(const PinSource& pin, const PinMarker& marker,
                      const std::string& serial) noexcept;

}  // namespace estia::hsm
