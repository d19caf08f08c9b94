// SPDX-License-Identifier: Apache-2.0
#include "server/app/token_ca_keys.h"

#include <algorithm>
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

bool is_served(const ca::Snapshot& snapshot, const std::string& ca) {
  return std::ranges::any_of(snapshot.aliases,
                             [&](const auto& entry) { return entry.second.serves(ca); });
}

std::pair<std::string, Bytes> name_of(const ca::CertificationAuthority& authority) {
  return {authority.key_uri, authority.certificate().public_key().fingerprint()};
}

}  // namespace

TokenCaKeys::TokenCaKeys(TokenOf token_of, const ca::Snapshot& snapshot)
    : token_of_(std::move(token_of)) {
  adopt(each(snapshot, [&](const ca::CertificationAuthority& authority) {
    try {
      return find_key(token_of_, authority);
    } catch (const Error& error) {
      ops::log(ops::Level::error, "ca.offline",
               {{"ca", authority.name},
                {"id", error.id()},
                {"reason", error.what()},
                {"detail", error.detail()}});
      const hsm::KeyUri uri = hsm::KeyUri::parse(authority.key_uri);
      return token_of_(uri).key_later(uri, authority.certificate().public_key());
    }
  }));
}

TokenCaKeys::Found TokenCaKeys::find(const ca::Snapshot& snapshot) const {
  return each(snapshot, [&](const ca::CertificationAuthority& authority) {
    return find_key(token_of_, authority);
  });
}

template <class Find>
TokenCaKeys::Found TokenCaKeys::each(const ca::Snapshot& snapshot, Find&& find) {
  Found found;
  for (const auto& [label, authority] : snapshot.cas) {
    Name name = name_of(authority);
    if (is_served(snapshot, label) && !found.contains(name)) {
      found.emplace(std::move(name), find(authority));
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
  const std::shared_lock lock(mutex_);
  const auto found = keys_.find(name_of(ca));
  if (found == keys_.end()) {
    throw Error(ErrorCode::internal, "ca_keys.missing", "internal error",
                "no key was resolved for CA '" + ca.name + "'");
  }
  return found->second;
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
