// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/secret.h"

#include <openssl/crypto.h>

#include <utility>

namespace estia {

Secret::Secret(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}

Secret::~Secret() {
  wipe();
}

Secret::Secret(Secret&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

void Secret::wipe() noexcept {
  cleanse(bytes_);
}

void cleanse(std::span<std::uint8_t> bytes) noexcept {
  ::OPENSSL_cleanse(bytes.data(), bytes.size());
}

void cleanse(std::string& text) noexcept {
  ::OPENSSL_cleanse(text.data(), text.size());
}

void append_secret(std::string& to, std::string_view text) {
  if (to.capacity() - to.size() < text.size()) {
    std::string larger;
    larger.reserve(2 * to.size() + text.size());
    larger = to;
    cleanse(to);
    to.swap(larger);
  }
  to.append(text);
}

}  // namespace estia
