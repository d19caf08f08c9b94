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
/// counted a wrong PIN, and makes one more attempt at most: not all tokens tell. Any thread.
class PinMarker final {
 public:
  /// An empty path: nothing is kept.
  explicit PinMarker(std::filesystem::path file) : file_(std::move(file)) {}

  /// When this token refused its PIN; nullopt if it did not. A marker that cannot be read counts.
  [[nodiscard]] std::optional<std::string> refused(const std::string& serial) const;
  /// That ends an attempt that has begun, whose file becomes the note: a full disk is no hindrance.
  /// Throws as replace_file(); that file stays then, and tells that an attempt began.
  void set(const std::string& serial) const;
  /// Of that token: what others refused stays. A marker that cannot be read goes. Throws
  /// Error{config, "token.marker"} when it cannot be changed.
  void clear(const std::string& serial) const;
  /// Of all tokens, where it is another PIN. Throws Error{config, "token.marker"} when it cannot be
  /// removed.
  void clear() const;

  /// Of the last attempt with a token.
  enum class End {
    known,
    told_nothing,   ///< an answer that is no refusal; what the token counts was not told
    unknown,        ///< it began, and nothing else is known
    unknown_twice,  ///< nor is it of the one before
  };

  /// Also finds out whether a refusal could be noted, if it had to: without that nobody may try a
  /// PIN, nor if the next process would not know that this attempt was a second one. Throws
  /// Error{token, "token.marker"}.
  void begin_attempt(const std::string& serial) const;
  /// Its end is known, and was no refusal.
  void end_attempt() const noexcept;
  /// It was answered by no refusal, and the token does not tell now what it counts.
  void answer_attempt(const std::string& serial) const noexcept;
  [[nodiscard]] End last_attempt(const std::string& serial) const;
  /// An attempt with this token began, and whether the PIN was counted is not known.
  [[nodiscard]] bool unsettled(const std::string& serial) const {
    return last_attempt(serial) != End::known;
  }

 private:
  void remove() const;
  void write_trial(const std::string& serial, End end) const;
  [[nodiscard]] std::filesystem::path trial() const { return file_.string() + ".trial"; }

  std::filesystem::path file_;
};

/// So that nobody tries it again by himself; a held one is forgotten. Returns what is to be told in
/// the detail of the refusal: empty, unless it could not be noted.
[[nodiscard]] std::string note_refused_pin(const PinSource& pin, const PinMarker& marker,
                                           const std::string& serial);
/// Likewise, after the token's `answer`. Throws Error{token, "token.pin_refused"} if it could not
/// be noted: whoever reads it must know.
void note_refused_pin_or_throw(const PinSource& pin, const PinMarker& marker,
                               const std::string& serial, const std::string& answer);

}  // namespace estia::hsm
