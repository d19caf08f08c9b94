// SPDX-License-Identifier: Apache-2.0
#include "tests/hsm/capabilities.h"

#include <algorithm>
#include <stdexcept>

namespace estia::hsm {

const std::vector<Capability>& Capability::known() {
  static const std::vector<Capability> all = {
      {"ca-keys", true, "CA keys: sign only, and the token says that they never could leave"},
      {"P-256", true, "CA keys on P-256, ECDSA"},
      {"P-384", true, "CA keys on P-384, ECDSA"},
      {"P-521", true, "CA keys on P-521, ECDSA"},
      {"RSA-2048", true, "CA keys of RSA 2048, PKCS #1 v1.5"},
      {"RSA-3072", true, "CA keys of RSA 3072, PKCS #1 v1.5"},
      {"RSA-4096", true, "CA keys of RSA 4096, PKCS #1 v1.5"},
      {"Ed25519", true, "CA keys of Ed25519"},
      {"pss", true, "RSA-PSS: for TLS 1.3 with an RSA key in the token"},
      {"pss-by-provider", true, "the same by pkcs11-provider"},
      {"fixed-attributes", true, "a CA key does not become extractable by C_SetAttributeValue"},
      {"two-sessions", true, "the token has a session for each of two users"},
      {"two-of-a-name", true, "two keys may have one label (and then neither is used)"},
      {"extractable", true, "keys that can leave can be made (and then are not used)"},
      {"serverkeygen", true, "keys for clients: made, wrapped, destroyed"},
      {"serverkeygen-rsa", true, "the same for RSA"},
      {"serverkeygen-Ed25519", true, "the same for Ed25519"},
      {"hsm-wrapped", true, "keys for clients that never leave the token in the clear"},
      {"sealing", false, "secrets sealed under a key in the token, which is made and destroyed"},
      {"close-sessions", false, "all sessions of the process are closed under us"},
      {"wrong-pin", false, "one wrong PIN, which spends one of the token's attempts"},
  };
  return all;
}

const Capability& Capability::named(std::string_view name) {
  const auto found = std::ranges::find(known(), name, &Capability::name);
  if (found == known().end()) {
    throw std::invalid_argument("no such capability: " + std::string(name));
  }
  return *found;
}

Capabilities Capabilities::parse(std::string_view words) {
  Capabilities made;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find_first_of(" ,\n"), words.size());
    const std::string_view word = words.substr(0, end);
    words.remove_prefix(std::min(end + 1, words.size()));
    if (word.empty()) {
      continue;
    }
    if (word.front() != '-' && word.front() != '+') {
      throw std::invalid_argument("+ or - is missing before a capability: " + std::string(word));
    }
    const std::size_t equals = word.find('=');
    const std::string name(word.substr(1, std::min(equals, word.size()) - 1));
    std::string reason = equals == std::string_view::npos ? "said to be missing"
                                                          : std::string(word.substr(equals + 1));
    std::ranges::replace(reason, '_', ' ');
    static_cast<void>(Capability::named(name));
    made.said_[name] = word.front() == '-' ? std::optional(reason) : std::nullopt;
  }
  return made;
}

std::optional<std::string> Capabilities::lacks(std::string_view name) const {
  const Capability& capability = Capability::named(name);
  if (const auto said = said_.find(name); said != said_.end()) {
    return said->second;
  }
  return capability.usual ? std::nullopt
                          : std::optional("not tried unless +" + std::string(name) + " is given");
}

}  // namespace estia::hsm
