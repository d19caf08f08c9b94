// SPDX-License-Identifier: Apache-2.0
#include "hsm/pin_source.h"

#include <cstdlib>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/base/pin_file.h"

namespace estia::hsm {
namespace {

std::filesystem::path credential_file(const std::string& name) {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr || *directory == '\0') {
    throw Error(ErrorCode::config, "token.no_credentials",
                "the PIN is the credential '" + name +
                    "', and the service manager handed none over (LoadCredential=)");
  }
  return std::filesystem::path(directory) / name;
}

}  // namespace

void HeldPin::take(Secret pin) {
  const std::scoped_lock lock(mutex_);
  pin_ = std::move(pin);
}

void HeldPin::forget() {
  const std::scoped_lock lock(mutex_);
  pin_.reset();
}

Secret HeldPin::read() const {
  const std::scoped_lock lock(mutex_);
  if (!pin_) {
    throw Error(ErrorCode::token, "token.pin_awaited", "the token waits for its PIN",
                "say estia token activate with --pin-file or --ask-pin");
  }
  return pin_->clone();
}

Secret PinSource::read() const {
  if (held) {
    return held->read();
  }
  return credential.empty() ? read_pin_file(file)
                            : read_pin_credential(credential_file(credential));
}

}  // namespace estia::hsm
