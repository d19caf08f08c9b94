// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "hsm/token.h"
#include "server/ca/ca_keys.h"

namespace estia::app {

/// The signing keys of the CAs that an alias names, found in the token once at start: a wrong or
/// missing key stops the start, not the first enrolment. The root's key is not looked for, so that
/// it may be elsewhere. Any thread.
class TokenCaKeys final : public ca::CaKeys {
 public:
  /// Throws Error{config, "ca_keys.mismatch"} when the token's key is not that of the CA's
  /// certificate, and what hsm::Token::key throws, with the CA's name.
  TokenCaKeys(hsm::Token& token, const ca::Snapshot& snapshot);

  /// Throws Error{internal, "ca_keys.missing"} for a CA that no alias named.
  [[nodiscard]] crypto::PrivateKey key_for(const ca::CertificationAuthority& ca) const override;

 private:
  std::map<std::string, crypto::PrivateKey, std::less<>> by_uri_;
};

}  // namespace estia::app
