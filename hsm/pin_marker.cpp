// SPDX-License-Identifier: Apache-2.0
#include "hsm/pin_marker.h"

#include "crypto/base/clock.h"
#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "hsm/ckr.h"

namespace estia::hsm {
namespace {

constexpr std::size_t kLargest = 1024;
constexpr std::string_view kSeparator = "\n";

}  // namespace

std::optional<std::string> PinMarker::refused(const std::string& serial) const {
  std::error_code ignored;
  if (file_.empty() || !std::filesystem::exists(std::filesystem::symlink_status(file_, ignored))) {
    return std::nullopt;
  }
  std::string text;
  try {
    text = read_file(file_, kLargest);
  } catch (const Error&) {
    return "at an unknown time";
  }
  const std::size_t end = text.find(kSeparator);
  if (end == std::string::npos) {
    return "at an unknown time";
  }
  if (text.substr(0, end) != "serial " + serial) {
    return std::nullopt;  // another token's
  }
  const std::string when = text.substr(end + 1, text.find(kSeparator, end + 1) - end - 1);
  return when.starts_with("at ") ? when : "at an unknown time";
}

void PinMarker::require_writable() const {
  if (file_.empty()) {
    return;
  }
  try {
    const std::filesystem::path trial = file_.string() + ".trial";
    replace_file(trial, "serial\nat\n", FileMode::secret);
    std::filesystem::remove(trial);
  } catch (const std::exception& error) {
    throw token_unavailable("token.marker", "a refused PIN could not be noted, so none is tried: " +
                                                std::string(error.what()));
  }
}

void PinMarker::set(const std::string& serial) const {
  if (!file_.empty()) {
    replace_file(file_, "serial " + serial + "\nat " + utc_text(SystemClock().now()) + "\n",
                 FileMode::secret);
  }
}

void PinMarker::clear() const {
  std::error_code error;
  if (!file_.empty() && !std::filesystem::remove(file_, error) && error) {
    throw Error(ErrorCode::config, "token.marker", "cannot remove " + file_.string(),
                error.message());
  }
}

}  // namespace estia::hsm
