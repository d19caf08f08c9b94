// SPDX-License-Identifier: Apache-2.0
#include "server/app/token_ca_keys.h"

#include <mutex>

#include "crypto/base/error.h"
#include "server/ops/log.h"

namespace estia::app {
namespace {

crypto::PrivateKey find_key(const TokenCaKeys::TokenOf& token_of,
                            const ca::CertificationAuthority& authority) {
  try {
    const hsm::KeyUri uri = hsm::KeyUri::parse(authority.key_uri);
    return token_of(uri).key(uri, authority.certificate().public_key());
  } catch (const Error& error) {
    const std::string ca = "CA '" + authority.name + "': ";
    if (error.id() == "token.key_changed") {
      throw Error(ErrorCode::config, "ca_keys.mismatch",
                  ca + "the key " + authority.key_uri + " is not the key of its certificate");
    }
    if (error.id() == "token.key_extractable") {
      throw Error(ErrorCode::config, "ca_keys.extractable",
                  ca + "the key " + authority.key_uri + " can leave the token");
    }
    throw Error(error.code(), error.id(), ca + error.what(), error.detail());
  }
}

std::pair<std::string, Bytes> name_of(const ca::CertificationAuthority& authority) {
  return {authority.key_uri, authority.certificate().public_key().fingerprint()};
}

}  // namespace

TokenCaKeys::TokenCaKeys(TokenOf token_of, const ca::Snapshot& snapshot)
    : token_of_(std::move(token_of)) {
  Found found;
  for (const ca::CertificationAuthority* authority : snapshot.served_cas()) {
    if (found.contains(name_of(*authority))) {
      continue;
    }
    try {
      found.emplace(name_of(*authority), find_key(token_of_, *authority));
    } catch (const Error& error) {
      ops::log(ops::Level::error, "ca.offline",
               {{"ca", authority->name},
                {"id", error.id()},
                {"reason", error.what()},
                {"detail", error.detail()}});
      offline_.insert(name_of(*authority));
    }
  }
  adopt(std::move(found));
  for (const ca::CertificationAuthority* authority : snapshot.served_cas()) {
    if (offline_.contains(name_of(*authority))) {
      try {
        static_cast<void>(key_for(*authority));  // where its token is known, for the status
      } catch (const Error&) {
        // Said above.
      }
    }
  }
}

TokenCaKeys::Found TokenCaKeys::find(const ca::Snapshot& snapshot) const {
  Found found;
  for (const ca::CertificationAuthority* authority : snapshot.served_cas()) {
    if (Name name = name_of(*authority); !found.contains(name)) {
      found.emplace(std::move(name), find_key(token_of_, *authority));
    }
  }
  return found;
}

void TokenCaKeys::adopt(Found found) noexcept {
  const std::unique_lock lock(mutex_);  // what is replaced is freed after it, in `found`
  found.merge(keys_);                   // moves nodes: nothing that could fail once it is stored
  keys_.swap(found);
}

crypto::PrivateKey TokenCaKeys::key_for(const ca::CertificationAuthority& ca) const {
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = keys_.find(name_of(ca)); found != keys_.end()) {
      return found->second;
    }
  }
  if (!offline_.contains(name_of(ca))) {
    throw Error(ErrorCode::internal, "ca_keys.missing", "internal error",
                "no key was resolved for CA '" + ca.name + "'");
  }
  crypto::PrivateKey key = later(ca);
  const std::unique_lock lock(mutex_);
  return keys_.emplace(name_of(ca), std::move(key)).first->second;
}

/// Which token it is in may be known by now. What its name lacks is the operator's to know.
crypto::PrivateKey TokenCaKeys::later(const ca::CertificationAuthority& ca) const {
  try {
    const hsm::KeyUri uri = hsm::KeyUri::parse(ca.key_uri);
    return token_of_(uri).key_later(uri, ca.certificate().public_key());
  } catch (const Error& error) {
    throw Error(ErrorCode::token, error.id(), "the CA cannot sign now; retry later",
                "CA '" + ca.name + "': " + error.what());
  }
}

void TokenCaKeys::distrust(const ca::CertificationAuthority& ca) const noexcept {
  try {
    ops::log(ops::Level::error, "ca.wrong_signature", {{"ca", ca.name}, {"key", ca.key_uri}});
    const hsm::KeyUri uri = hsm::KeyUri::parse(ca.key_uri);
    token_of_(uri).distrust(uri, ca.certificate().public_key());
  } catch (const std::exception&) {
    // No memory: the next wrong signature comes here again.
  }
}

}  // namespace estia::app
