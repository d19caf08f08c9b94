// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/key_spec.h"

#include "crypto/base/error.h"

namespace estia::crypto {
namespace {

constexpr const char* kEc = "1.2.840.10045.2.1";
constexpr const char* kRsa = "1.2.840.113549.1.1.1";
constexpr const char* kEd25519 = "1.3.101.112";

}  // namespace

const std::vector<KeySpec>& KeySpec::known() {
  static const std::vector<KeySpec> table = {
      {"P-256", kEc, "1.2.840.10045.3.1.7", 256},
      {"P-384", kEc, "1.3.132.0.34", 384},
      {"P-521", kEc, "1.3.132.0.35", 521},
      {"RSA-2048", kRsa, "", 2048},
      {"RSA-3072", kRsa, "", 3072},
      {"RSA-4096", kRsa, "", 4096},
      {"Ed25519", kEd25519, "", 256},
  };
  return table;
}

KeySpec KeySpec::parse(std::string_view name) {
  std::string names;
  for (const KeySpec& spec : known()) {
    if (spec.name == name) {
      return spec;
    }
    names += (names.empty() ? "" : ", ") + spec.name;
  }
  throw Error(ErrorCode::config, "key_spec.unknown",
              "'" + std::string(name) + "' is no kind of key; known are " + names);
}

}  // namespace estia::crypto
