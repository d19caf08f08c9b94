// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "crypto/keys/private_key.h"

namespace estia::test {

/// One software key of each kind per process ("P-256", "RSA-2048", ...): making RSA keys is most of
/// the time of a test that does not care which key it gets.
[[nodiscard]] inline crypto::PrivateKey software_key(const std::string& spec) {
  static std::mutex mutex;  // guards keys
  static std::map<std::string, crypto::PrivateKey> keys;
  const std::lock_guard lock(mutex);
  auto found = keys.find(spec);
  if (found == keys.end()) {
    const auto made = crypto::PrivateKey::generate_software(crypto::KeySpec::parse(spec));
    found = keys.emplace(spec, made).first;
  }
  return found->second;
}

}  // namespace estia::test
