// SPDX-License-Identifier: Apache-2.0
#include "server/provision/entity.h"

#include <algorithm>

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "server/auth/password.h"
#include "server/ca/requested_names.h"
#include "server/ca/visible_text.h"

namespace estia::provision {
namespace {

constexpr std::size_t kLongestUsername = 255;
constexpr unsigned kCodeBits = 128;
constexpr std::size_t kCodeIdOctets = 16;
constexpr int kMostUses = 1'000'000;
constexpr std::chrono::seconds kLongestValidity{std::chrono::hours(24 * 3650)};

template <class Map>
const typename Map::mapped_type& must_refer(const Map& map, const char* kind,
                                            const std::string& name) {
  const auto found = map.find(name);
  if (found == map.end()) {
    throw Error(ErrorCode::config, "config.reference",
                std::string("there is no ") + kind + " '" + name + "'");
  }
  return found->second;
}

/// What the operator wrote is wrong: told as such, whoever noticed it.
template <class Parse>
auto as_plan(Parse&& parse) {
  try {
    return parse();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::malformed) {
      throw;
    }
    throw Error(ErrorCode::config, error.id(), error.what(), error.detail());
  }
}

void check_username(const std::string& username) {
  const bool printable = std::ranges::none_of(
      username, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; });
  if (ca::username_key(username).empty() || username.size() > kLongestUsername || !printable ||
      ca::invisible_character(username)) {
    throw Error(ErrorCode::config, "entity.username",
                "a username is 1 to 255 bytes of characters that can be seen");
  }
}

ca::AuditEvent event(const char* what, const std::string& username, const Clock& clock,
                     const std::string& who, std::string detail = {}) {
  return {.at = clock.now(),
          .who = who,
          .what = what,
          .outcome = "ok",
          .object = username,
          .detail = std::move(detail)};
}

}  // namespace

ca::EndEntity register_entity(const EntityPlan& plan, const ca::Snapshot& snapshot,
                              ca::EndEntityStore& entities, const Clock& clock,
                              const std::string& who) {
  check_username(plan.username);
  static_cast<void>(must_refer(snapshot.cas, "CA", plan.ca));
  const auto& names =
      must_refer(snapshot.end_entity_profiles, "end-entity profile", plan.end_entity_profile);
  const auto& profile =
      must_refer(snapshot.certificate_profiles, "certificate profile", plan.certificate_profile);
  if (profile.ca) {
    throw Error(ErrorCode::config, "config.ca_profile_on_alias",
                "'" + profile.name + "' makes CAs: no end entity may have that");
  }
  const ca::RequestedNames granted = as_plan([&] {
    return ca::requested_names(
        names, crypto::Name::from_text(plan.subject),
        plan.san.empty() ? crypto::GeneralNames() : crypto::GeneralNames::from_texts(plan.san));
  });
  ca::EndEntity entity{.username = plan.username,
                       .ca = plan.ca,
                       .end_entity_profile = plan.end_entity_profile,
                       .certificate_profile = plan.certificate_profile,
                       .subject = granted.subject,
                       .san = granted.san,
                       .created_at = clock.now()};
  entities.add(entity, event("entity.added", plan.username, clock, who,
                             "ca=" + plan.ca + " subject=" + granted.subject.text()));
  return entity;
}

void set_entity_disabled(const std::string& username, bool disabled, ca::EndEntityStore& entities,
                         const Clock& clock, const std::string& who) {
  entities.set_disabled(
      username, disabled,
      event(disabled ? "entity.disabled" : "entity.enabled", username, clock, who));
}

NewCode make_code(const CodePlan& plan, ca::EndEntityStore& entities, const Clock& clock,
                  const std::string& who) {
  if (plan.uses < 1 || plan.uses > kMostUses) {
    throw Error(ErrorCode::config, "code.plan", "a code has 1 to 1000000 uses");
  }
  if (plan.valid && (plan.valid->count() < 1 || *plan.valid > kLongestValidity)) {
    throw Error(ErrorCode::config, "code.plan", "a code is valid for 1 second to 3650 days");
  }
  NewCode made{.code = Secret(random_text(kCodeBits))};
  ca::EnrollmentCode stored{.id = Bytes(kCodeIdOctets),
                            .hash = auth::hash_generated_secret(made.code),
                            .uses_left = plan.uses};
  random_fill(stored.id);
  if (plan.valid) {
    made.expires_at = clock.now() + *plan.valid;
    stored.expires_at = made.expires_at;
  }
  entities.set_code(
      plan.username, stored,
      event("code.set", plan.username, clock, who,
            "uses=" + std::to_string(plan.uses) +
                (plan.valid ? " seconds=" + std::to_string(plan.valid->count()) : "")));
  return made;
}

void remove_codes(const std::string& username, ca::EndEntityStore& entities, const Clock& clock,
                  const std::string& who) {
  entities.remove_codes(username, event("code.removed", username, clock, who));
}

}  // namespace estia::provision
