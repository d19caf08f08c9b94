// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/secret.h"
#include "server/ca/end_entity.h"
#include "server/ca/model.h"

namespace estia::provision {

/// An end entity as the operator wants it registered.
struct EntityPlan {
  std::string username{};
  std::string ca{};
  std::string end_entity_profile{};
  std::string certificate_profile{};
  std::string subject{};           ///< "CN=device-7,O=Acme"
  std::vector<std::string> san{};  ///< "dns:device-7.example", "ip:10.0.0.7"
};

/// Registers it; its names must be such as its end-entity profile allows, so that a request with
/// its code does not fail for them. Returns what was stored. Throws Error{config, ...}:
/// "entity.username", "config.reference", "config.ca_profile_on_alias", "name.text", "san.text" and
/// those of ca::requested_names; Error{conflict, "entity.exists"}.
ca::EndEntity register_entity(const EntityPlan& plan, const ca::Snapshot& snapshot,
                              ca::EndEntityStore& entities, const Clock& clock,
                              const std::string& who);

/// Throws Error{not_found, "entity.unknown"}.
void set_entity_disabled(const std::string& username, bool disabled, ca::EndEntityStore& entities,
                         const Clock& clock, const std::string& who);

struct CodePlan {
  std::string username{};
  int uses = 1;                                 ///< 1 to 1,000,000
  std::optional<std::chrono::seconds> valid{};  ///< from now; absent = until it is replaced
};

/// A code nobody knows yet, of 128 random bits, in place of all earlier ones of this end entity. It
/// is returned once and never stored (D16). Throws Error{config, "code.plan"}, Error{not_found,
/// "entity.unknown"}.
struct NewCode {
  Secret code;
  std::optional<Instant> expires_at{};
};
[[nodiscard]] NewCode make_code(const CodePlan& plan, ca::EndEntityStore& entities,
                                const Clock& clock, const std::string& who);

/// Throws Error{not_found, "entity.unknown"}.
void remove_codes(const std::string& username, ca::EndEntityStore& entities, const Clock& clock,
                  const std::string& who);

}  // namespace estia::provision
