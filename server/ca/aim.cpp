// SPDX-License-Identifier: Apache-2.0
#include "server/ca/aim.h"

#include <optional>

#include "server/ca/naming.h"

namespace estia::ca {
namespace {

Aim of_entity(const EndEntity& entity) {
  return {.username = entity.username, .ca = entity.ca};
}

/// Without its CA where nobody knows the end entity yet and its registration would say.
Aim of_username(const Alias& alias, const std::string& username, const EndEntityStore& entities) {
  if (const auto entity = entities.find(username)) {
    return of_entity(*entity);
  }
  return {.username = username, .ca = alias.mode == AliasMode::ra ? alias.ca : ""};
}

Aim of_subject(const Alias& alias, const crypto::Name& subject, const EndEntityStore& entities) {
  if (alias.mode == AliasMode::ra && has_random_usernames(alias)) {
    return {.ca = alias.ca};
  }
  std::optional<std::string> username;
  try {
    username = named_by(alias, subject);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::malformed) {
      throw;
    }
  }
  return username ? of_username(alias, *username, entities) : Aim{};
}

}  // namespace

Aim aim_of(const Request& request, const EndEntityStore& entities) {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  switch (identity.role()) {
    case Role::code:
      return of_entity(*identity.entity());
    case Role::self:
      return {.username = identity.record()->username, .ca = identity.record()->ca};
    case Role::vendor:
      return of_subject(alias, identity.certificate()->subject(), entities);
    case Role::ra:
      break;
  }
  // A registration authority's own certificate may be what it renews.
  const bool own = operation == Operation::simplereenroll && identity.record() &&
                   same_names(*identity.certificate(), csr);
  if (own) {
    return {.username = identity.record()->username, .ca = identity.record()->ca};
  }
  return of_subject(alias, csr.subject(), entities);
}

}  // namespace estia::ca
