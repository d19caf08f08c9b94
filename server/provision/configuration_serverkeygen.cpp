// SPDX-License-Identifier: Apache-2.0
// What an alias says about key pairs that are made for clients.
#include <algorithm>
#include <array>

#include "server/provision/configuration_parts.h"
#include "server/provision/configuration_rules.h"

namespace estia::provision {

std::string_view to_string(ca::KeyPackage package) noexcept {
  switch (package) {
    case ca::KeyPackage::pkcs8:
      return "pkcs8";
    case ca::KeyPackage::cms:
      return "cms";
    case ca::KeyPackage::pkcs12:
      return "pkcs12";
    case ca::KeyPackage::hsm_wrapped:
      return "hsm-wrapped";
  }
  return "";
}

void read_serverkeygen(const ConfigurationSection& section, ca::Alias& alias) {
  constexpr std::array kAll{ca::KeyPackage::pkcs8, ca::KeyPackage::cms, ca::KeyPackage::pkcs12,
                            ca::KeyPackage::hsm_wrapped};
  for (const std::string& text : section.texts("serverkeygen")) {
    const ca::KeyPackage package = one_of(section, "serverkeygen", text, kAll);
    if (alias.gives(package)) {
      section.refuse("config.value", "serverkeygen", "names \"" + text + "\" twice");
    }
    alias.serverkeygen.push_back(package);
  }
  if (alias.gives(ca::KeyPackage::cms) && alias.gives(ca::KeyPackage::hsm_wrapped)) {
    section.refuse("config.value", "serverkeygen",
                   "names \"cms\" and \"hsm-wrapped\", which answer the same requests: choose one");
  }
  alias.serverkeygen_other_key = section.flag("serverkeygen_other_key", false);
  if (alias.serverkeygen_other_key && alias.serverkeygen.empty()) {
    section.refuse("config.value", "serverkeygen_other_key", "does nothing without serverkeygen");
  }
}

}  // namespace estia::provision
