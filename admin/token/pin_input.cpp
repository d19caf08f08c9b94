// SPDX-License-Identifier: Apache-2.0
#include "admin/token/pin_input.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>

#include "admin/token/libp11_token.h"
#include "crypto/base/error.h"
#include "crypto/base/pin_file.h"
#include "crypto/base/secret_prompt.h"
#include "hsm/pin_marker.h"

namespace estia::admin {
namespace {

/// What fails here costs no more than what it is to prevent.
void leave_no_dump() {
  const rlimit none{0, 0};
  static_cast<void>(::setrlimit(RLIMIT_CORE, &none));
  static_cast<void>(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

Secret ask(const std::string& option, const std::string& question) {
  SecretPrompt prompt;
  if (!prompt.possible()) {
    throw CLI::ValidationError(option, "is needed where nobody can be asked");
  }
  return prompt.ask(question);
}

/// Whether estiad has noted so of this token: the note may be of another one with its label, whose
/// serial number alone tells them apart.
bool has_refused(const TokenPlace& place) {
  return !place.pin_marker.empty() && std::filesystem::exists(place.pin_marker) &&
         hsm::PinMarker(place.pin_marker).refused(Libp11Token(place).serial());
}

}  // namespace

Secret read_pin(const std::filesystem::path& file, const std::string& option,
                const std::string& whose) {
  leave_no_dump();
  return file.empty() ? ask(option, whose) : read_pin_file(file);
}

Secret read_user_pin(const std::filesystem::path& file, const TokenPlace& place) {
  if (file.empty() && !place.pin_file.empty() && has_refused(place)) {
    throw Error(ErrorCode::token, "token.pin_refused",
                "the token has refused the PIN in " + place.pin_file.string() +
                    "; give the right one with --pin-file");
  }
  return read_pin(file.empty() ? place.pin_file : file, "--pin-file", "user's PIN");
}

Secret read_new_pin(const std::filesystem::path& file, const std::string& option,
                    const std::string& whose) {
  Secret pin = read_pin(file, option, "new " + whose);
  check_pin(pin);
  if (file.empty()) {
    const Secret again = ask(option, "new " + whose + " again");
    if (!equal_constant_time(pin.view(), again.view())) {
      throw Error(ErrorCode::config, "token.pin", "the two PINs differ; nothing was changed");
    }
  }
  return pin;
}

void check_pin(const Secret& pin) {
  constexpr std::size_t kLeast = 4;
  constexpr std::size_t kMost = 255;
  if (pin.size() < kLeast || pin.size() > kMost) {
    throw Error(ErrorCode::config, "token.pin", "a PIN has 4 to 255 bytes");
  }
  if (has_blank_end(pin.text())) {
    throw Error(ErrorCode::config, "token.pin", "a PIN neither begins nor ends with a blank");
  }
}

void must_differ(const Secret& one, const Secret& other, const std::string& why) {
  if (equal_constant_time(one.view(), other.view())) {
    throw Error(ErrorCode::config, "token.pin", why);
  }
}

}  // namespace estia::admin
