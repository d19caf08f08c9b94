// SPDX-License-Identifier: Apache-2.0
#include "server/ca/registered.h"

#include <optional>
#include <utility>

namespace estia::ca {

void check_reachable(const Alias& alias, const EndEntity& entity) {
  constexpr const char* kText = "this end entity cannot be reached here";
  if (!alias.serves(entity.ca)) {
    forbid("entity.other_ca", kText, entity.username + " is of CA " + entity.ca);
  }
  const auto fits = [](const std::string& wanted, const std::string& has) {
    return wanted.empty() || wanted == has;
  };
  if (!fits(alias.end_entity_profile, entity.end_entity_profile) ||
      !fits(alias.certificate_profile, entity.certificate_profile)) {
    forbid("entity.other_profile", kText,
           entity.username + " has the profiles " + entity.end_entity_profile + ", " +
               entity.certificate_profile);
  }
}

RequestedNames registered_names(const EndEntity& entity, const CertificateProfile& profile,
                                const crypto::Name& wish, const crypto::GeneralNames& wished_san) {
  // An empty subject or no SAN asks for nothing.
  const bool other_subject = !wish.empty() && !wish.matches(entity.subject);
  const bool other_san = !wished_san.empty() && !wished_san.matches(entity.san);
  if (other_subject && !profile.override_subject && profile.strict_override) {
    forbid("override.subject", "the requested subject is not the registered one");
  }
  if (other_san && !profile.override_san && profile.strict_override) {
    forbid("override.san", "the requested subjectAltName is not the registered one");
  }
  return {other_subject && profile.override_subject ? wish : entity.subject,
          other_san && profile.override_san ? wished_san : entity.san};
}

EndEntity must_find(const EndEntityStore& entities, std::string_view username) {
  std::optional<EndEntity> entity = entities.find(username);
  if (!entity) {
    forbid("entity.unknown", "this end entity is not registered");
  }
  return std::move(*entity);
}

void check_overrides(const CertificateProfile& profile, bool other_subject, bool other_san) {
  if (other_subject && !profile.override_subject) {
    forbid("override.subject", "the subject of this end entity cannot be changed by a request");
  }
  if (other_san && !profile.override_san) {
    forbid("override.san", "the subjectAltName of this end entity cannot be changed by a request");
  }
}

}  // namespace estia::ca
