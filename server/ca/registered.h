// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/error.h"
#include "server/ca/end_entity.h"
#include "server/ca/model.h"
#include "server/ca/requested_names.h"

namespace estia::ca {

// What a registration decides for its end entity, whoever asks for it.

/// A refusal of somebody who is known: 403.
[[noreturn]] inline void forbid(const char* id, const char* told, std::string detail = {}) {
  throw Error(ErrorCode::forbidden, id, told, std::move(detail));
}

/// Client mode: the alias may be for other end entities than this one. Throws Error{forbidden,
/// "entity.other_ca" | "entity.other_profile"}.
void check_reachable(const Alias& alias, const EndEntity& entity);

/// A row may name a profile that a later configuration no longer has. Throws Error{forbidden,
/// "entity.profile_gone"}.
template <class Map>
[[nodiscard]] const typename Map::mapped_type& profile_of(const EndEntity& entity,
                                                          const Map& profiles,
                                                          const std::string& name) {
  const auto found = profiles.find(name);
  if (found == profiles.end()) {
    forbid("entity.profile_gone", "this end entity cannot be served now",
           entity.username + " has the profile '" + name + "', which is not configured");
  }
  return found->second;
}

/// The end entity of this username. Throws Error{forbidden, "entity.unknown"}.
[[nodiscard]] EndEntity must_find(const EndEntityStore& entities, std::string_view username);

/// New names, where the profile lets a request decide them. Throws Error{forbidden,
/// "override.subject" | "override.san"}.
void check_overrides(const CertificateProfile& profile, bool other_subject, bool other_san);

/// What was registered, and what a request may change of it. Throws Error{forbidden,
/// "override.subject" | "override.san"} where the profile is strict.
[[nodiscard]] RequestedNames registered_names(const EndEntity& entity,
                                              const CertificateProfile& profile,
                                              const crypto::Name& wish,
                                              const crypto::GeneralNames& wished_san);

}  // namespace estia::ca
