// SPDX-License-Identifier: Apache-2.0
#include "server/app/token_ca_keys.h"

#include "crypto/base/error.h"

namespace estia::app {
namespace {

crypto::PrivateKey find_key(hsm::Token& token, const ca::CertificationAuthority& authority) {
  try {
    return token.key(hsm::KeyUri::parse(authority.key_uri));
  } catch (const Error& error) {
    throw Error(error.code(), error.id(), "CA '" + authority.name + "': " + error.what(),
                error.detail());
  }
}

}  // namespace

TokenCaKeys::TokenCaKeys(hsm::Token& token, const ca::Snapshot& snapshot) {
  for (const auto& [name, alias] : snapshot.aliases) {
    const ca::CertificationAuthority& authority = snapshot.ca(alias.ca);
    const auto known = by_uri_.find(authority.key_uri);
    const crypto::PrivateKey key =
        known == by_uri_.end() ? find_key(token, authority) : known->second;
    if (!(key.public_key() == authority.certificate().public_key())) {
      throw Error(ErrorCode::config, "ca_keys.mismatch",
                  "CA '" + authority.name + "': the key " + authority.key_uri +
                      " is not the key of its certificate");
    }
    by_uri_.emplace(authority.key_uri, key);
  }
}

crypto::PrivateKey TokenCaKeys::key_for(const ca::CertificationAuthority& ca) const {
  const auto found = by_uri_.find(ca.key_uri);
  if (found == by_uri_.end()) {
    throw Error(ErrorCode::internal, "ca_keys.missing", "internal error",
                "no key was resolved for CA '" + ca.name + "'");
  }
  return found->second;
}

}  // namespace estia::app
