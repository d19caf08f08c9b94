// SPDX-License-Identifier: Apache-2.0
#include "hsm/pin_marker.h"

#include <algorithm>
#include <sstream>
#include <utility>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "hsm/ckr.h"

namespace estia::hsm {
namespace {

constexpr std::size_t kLargest = 4096;
/// Of one label, taking turns. The first is forgotten for one more.
constexpr std::size_t kMostTokens = 16;
/// Of an attempt, behind its time: for people, too, once it is the note.
constexpr const char* kAgain = ", after an attempt whose end is not known";
constexpr const char* kAnswered = ", with an answer that told nothing";

struct Note {
  std::string serial;
  std::string when;
};

std::optional<std::string> after(const std::string& line, const std::string& word) {
  return line.starts_with(word) ? std::optional(line.substr(word.size())) : std::nullopt;
}

/// nullopt: it says something else. A file that is not there says nothing.
std::optional<std::vector<Note>> read_notes(const std::filesystem::path& file) {
  std::error_code ignored;
  std::vector<Note> notes;
  if (file.empty() || !std::filesystem::exists(std::filesystem::symlink_status(file, ignored))) {
    return notes;
  }
  std::istringstream text;
  try {
    text.str(read_file(file, kLargest));
  } catch (const Error&) {
    return std::nullopt;
  }
  std::string first;
  std::string second;
  while (std::getline(text, first)) {
    const bool two = static_cast<bool>(std::getline(text, second));
    const auto serial = after(first, "serial ");
    const auto when = after(second, "at ");
    if (!two || !serial || !when) {
      return std::nullopt;
    }
    notes.push_back({*serial, *when});
  }
  return notes.empty() ? std::nullopt : std::optional(notes);
}

std::string text_of(const std::vector<Note>& notes) {
  std::string text;
  for (const Note& note : notes) {
    text += "serial " + note.serial + "\nat " + note.when + "\n";
  }
  return text;
}

/// What the file says once this token has refused its PIN, too: as the last one.
std::string with_refusal(std::vector<Note> notes, const std::string& serial,
                         const std::string& how = {}) {
  std::erase_if(notes, [&](const Note& note) { return note.serial == serial; });
  if (notes.size() >= kMostTokens) {
    notes.erase(notes.begin());
  }
  notes.push_back({serial, utc_text(SystemClock().now()) + how});
  return text_of(notes);
}

bool names(const std::vector<Note>& notes, const std::string& serial) {
  return std::ranges::any_of(notes, [&](const Note& note) { return note.serial == serial; });
}

/// Nothing that the other ones say is lost by it.
bool may_replace(const std::vector<Note>& prepared, const std::vector<Note>& notes) {
  return std::ranges::all_of(notes, [&](const Note& note) { return names(prepared, note.serial); });
}

}  // namespace

std::optional<std::string> PinMarker::refused(const std::string& serial) const {
  const auto notes = read_notes(file_);
  if (!notes) {
    return "at an unknown time";
  }
  for (const Note& note : *notes) {
    if (note.serial == serial) {
      return note.when;
    }
  }
  return std::nullopt;
}

void PinMarker::set(const std::string& serial) const {
  const auto notes = read_notes(file_);
  if (file_.empty() || !notes) {
    end_attempt();
    return;  // what nobody can read counts for every token
  }
  const auto prepared = read_notes(trial());
  if (prepared && !prepared->empty() && prepared->back().serial == serial &&
      may_replace(*prepared, *notes)) {
    rename_file(trial(), file_);  // also on a disk that is full
    return;
  }
  replace_file(file_, with_refusal(*notes, serial), FileMode::secret);
}

void PinMarker::remove() const {
  std::error_code error;
  if (!file_.empty() && !std::filesystem::remove(file_, error) && error) {
    throw Error(ErrorCode::config, "token.marker", "cannot remove " + file_.string(),
                error.message());
  }
}

void PinMarker::clear() const {
  remove();
  end_attempt();
}

void PinMarker::clear(const std::string& serial) const {
  std::vector<Note> others = read_notes(file_).value_or(std::vector<Note>());
  const auto its = std::erase_if(others, [&](const Note& note) { return note.serial == serial; });
  if (others.empty()) {
    remove();
  } else if (its > 0) {
    try {
      replace_file(file_, text_of(others), FileMode::secret);
    } catch (const Error& error) {
      throw Error(ErrorCode::config, "token.marker", "cannot change " + file_.string(),
                  error.what());
    }
  }
  if (unsettled(serial)) {
    end_attempt();
  }
}

void PinMarker::begin_attempt(const std::string& serial) const {
  if (file_.empty()) {
    return;
  }
  try {
    const End last = last_attempt(serial);
    const bool again = last == End::unknown || last == End::unknown_twice;
    write_trial(serial, again ? End::unknown_twice : End::unknown);
  } catch (const std::exception& error) {
    throw token_unavailable("token.marker", "a refused PIN could not be noted, so none is tried: " +
                                                std::string(error.what()));
  }
}

void PinMarker::end_attempt() const noexcept {
  std::error_code ignored;
  if (!file_.empty()) {
    std::filesystem::remove(trial(), ignored);
  }
}

void PinMarker::answer_attempt(const std::string& serial) const noexcept {
  try {
    write_trial(serial, End::told_nothing);
  } catch (const std::exception&) {
    // It counts as one whose end is not known.
  }
}

/// The note as it is to be after a refusal, which then needs no room any more.
void PinMarker::write_trial(const std::string& serial, End end) const {
  if (file_.empty()) {
    return;
  }
  const char* how = end == End::told_nothing ? kAnswered : end == End::unknown_twice ? kAgain : "";
  replace_file(trial(), with_refusal(read_notes(file_).value_or(std::vector<Note>()), serial, how),
               FileMode::secret);
}

PinMarker::End PinMarker::last_attempt(const std::string& serial) const {
  const auto notes = file_.empty() ? std::vector<Note>() : read_notes(trial());
  if (!notes) {
    return End::unknown;
  }
  if (notes->empty() || notes->back().serial != serial) {
    return End::known;
  }
  const std::string& when = notes->back().when;
  return when.ends_with(kAnswered) ? End::told_nothing
         : when.ends_with(kAgain)  ? End::unknown_twice
                                   : End::unknown;
}

std::string note_refused_pin(const PinSource& pin, const PinMarker& marker,
                             const std::string& serial) {
  if (pin.held) {
    pin.held->forget();
  }
  try {
    marker.set(serial);
  } catch (const std::exception& error) {
    return "; it could not be noted for the next start: " + std::string(error.what());
  }
  return {};
}

void note_refused_pin_or_throw(const PinSource& pin, const PinMarker& marker,
                               const std::string& serial, const std::string& answer) {
  const std::string not_noted = note_refused_pin(pin, marker, serial);
  if (!not_noted.empty()) {
    throw Error(ErrorCode::token, "token.pin_refused", "the token refuses the PIN",
                answer + not_noted);
  }
}

}  // namespace estia::hsm
