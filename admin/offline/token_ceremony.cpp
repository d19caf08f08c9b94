// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/token_ceremony.h"

#include <iostream>

namespace estia::admin {

crypto::PrivateKey TokenCeremony::make(const crypto::KeySpec& spec, const std::string& label) {
  return token_->generate(spec, label);
}

std::string TokenCeremony::uri(const std::string& label) {
  return token_->uri_of(label).text();
}

void TokenCeremony::destroy(const std::string& label) noexcept {
  try {
    token_->destroy(token_->uri_of(label));
  } catch (const std::exception& error) {
    // Nothing more can be done here; the operator must know what is left.
    std::cerr << "estia: warning: key " << label << " is left in the token: " << error.what()
              << "\n";
  }
}

}  // namespace estia::admin
