// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/pin_file.h"

#include <string_view>

#include "crypto/base/error.h"
#include "crypto/base/file.h"

namespace estia {
namespace {

Secret checked(Secret pin, const std::filesystem::path& path) {
  const std::string_view text = pin.text();
  if (text.find_first_of("\r\n") != std::string_view::npos) {
    throw Error(ErrorCode::config, "file.secret_lines",
                path.string() + ": a PIN is one line, and there is another, perhaps an empty one");
  }
  if (has_blank_end(text)) {
    throw Error(ErrorCode::config, "file.secret_blank",
                path.string() + ": the PIN begins or ends with a blank");
  }
  return pin;
}

}  // namespace

Secret read_pin_file(const std::filesystem::path& path) {
  return checked(read_secret_file(path), path);
}

Secret read_pin_credential(const std::filesystem::path& path) {
  return checked(read_credential_file(path), path);
}

bool has_blank_end(std::string_view pin) noexcept {
  constexpr std::string_view kBlanks = " \t";
  return !pin.empty() && (kBlanks.find(pin.front()) != std::string_view::npos ||
                          kBlanks.find(pin.back()) != std::string_view::npos);
}

}  // namespace estia
