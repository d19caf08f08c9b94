// SPDX-License-Identifier: Apache-2.0
#include "server/ca/model.h"

#include <algorithm>

#include "crypto/base/error.h"

namespace estia::ca {
namespace {

template <class Map>
const typename Map::mapped_type& must_find(const Map& map, std::string_view kind,
                                           std::string_view name) {
  const auto found = map.find(name);
  if (found == map.end()) {
    throw Error(ErrorCode::internal, "snapshot.missing", "internal error",
                std::string(kind) + " '" + std::string(name) + "' is not in the configuration");
  }
  return found->second;
}

}  // namespace

bool ListedCertificate::is(const crypto::Certificate& certificate) const {
  return sha256.empty() ? certificate.issuer().matches(issuer) && certificate.serial() == serial
                        : certificate.fingerprint_sha256() == sha256;
}

bool CertificateProfile::allows_kind(const crypto::PublicKey& key) const noexcept {
  return key.spec() && std::ranges::find(key_types, key.spec()->name) != key_types.end();
}

void CertificateProfile::check_kind(const crypto::PublicKey& key) const {
  if (!allows_kind(key)) {
    throw Error(ErrorCode::malformed, "key.not_in_profile", "this kind of key is not allowed here",
                (key.spec() ? key.spec()->name : "unknown kind") + " is not in profile " + name);
  }
}

bool Alias::accepts(Authenticator authenticator) const noexcept {
  return std::find(authenticators.begin(), authenticators.end(), authenticator) !=
         authenticators.end();
}

bool Alias::gives(KeyPackage package) const noexcept {
  return std::ranges::find(serverkeygen, package) != serverkeygen.end();
}

bool Alias::takes_accounts() const noexcept {
  return accepts(Authenticator::basic) || accepts(Authenticator::certificate_and_basic);
}

bool Alias::serves(std::string_view ca_name) const noexcept {
  return ca_name == ca ||
         std::find(further_cas.begin(), further_cas.end(), ca_name) != further_cas.end();
}

std::vector<const CertificationAuthority*> Snapshot::served_cas() const {
  std::vector<const CertificationAuthority*> served;
  for (const auto& [name, authority] : cas) {
    if (std::ranges::any_of(aliases,
                            [&](const auto& entry) { return entry.second.serves(name); })) {
      served.push_back(&authority);
    }
  }
  return served;
}

const CertificationAuthority& Snapshot::ca(std::string_view name) const {
  return must_find(cas, "ca", name);
}

const EndEntityProfile& Snapshot::end_entity_profile(std::string_view name) const {
  return must_find(end_entity_profiles, "end-entity profile", name);
}

const CertificateProfile& Snapshot::certificate_profile(std::string_view name) const {
  return must_find(certificate_profiles, "certificate profile", name);
}

const TrustAnchor& Snapshot::trust_anchor(std::string_view name) const {
  return must_find(trust_anchors, "trust anchor", name);
}

const Alias* Snapshot::find_alias(std::string_view name) const noexcept {
  const auto found = aliases.find(name);
  return found == aliases.end() ? nullptr : &found->second;
}

}  // namespace estia::ca
