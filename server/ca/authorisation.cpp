// SPDX-License-Identifier: Apache-2.0
#include "server/ca/authorisation.h"

#include <utility>

#include "crypto/base/error.h"
#include "server/ca/changed_names.h"
#include "server/ca/naming.h"
#include "server/ca/registered.h"

namespace estia::ca {
namespace {

/// Only who holds the right gets past this (EST-3.7-d).
void check_scope(const std::optional<NamingRight>& right, const Alias& alias,
                 const RequestedNames& names) {
  if (!right) {
    forbid("enroll.not_own_names", "this identity may not name others");
  }
  require_inside(alias.ra_scope, names);
}

/// The same of the end entity, as the transaction finds it.
NamePredicate inside(const NameScope& scope) {
  return [&scope](const auto& subject, const auto& san) { return !scope.outside(subject, san); };
}

/// `grace` is for the certificate that is renewed, never for one that only says who asks.
void check_validity(const crypto::Certificate& own, Instant now, std::chrono::seconds grace) {
  if (now < own.not_before() || now - grace > own.not_after()) {
    forbid("own_certificate.not_valid", "the client certificate is not valid now");
  }
}

/// serverkeygen serves first and repeated requests (EST-4.4-d): who comes with a certificate of its
/// own renews it.
bool is_renewal(const Request& request) {
  return request.operation == Operation::simplereenroll ||
         (request.operation == Operation::serverkeygen && request.identity.role() == Role::self);
}

/// CSN-7.1-d: off by default, and never silently ignored.
void check_change_allowed(const Request& request) {
  const bool renewal = is_renewal(request);
  const bool granted =
      renewal ? request.alias.allow_change_subject_name_at_renewal
              : request.identity.role() == Role::vendor && request.alias.allow_change_subject_name;
  if (!granted && changed_names(request.csr)) {
    forbid("change_subject.not_allowed", "names cannot be changed by ChangeSubjectName here");
  }
}

/// The subject as the client wrote it, without the code that one of its fields may hold.
crypto::Name wished_subject(const Alias& alias, const crypto::Csr& csr) {
  const bool holds_code =
      alias.mode == AliasMode::client && alias.code_source == CodeSource::dn_part;
  return holds_code ? without_field(csr.subject(), alias.code_field) : csr.subject();
}

}  // namespace

std::string_view to_string(Operation operation) noexcept {
  switch (operation) {
    case Operation::simpleenroll:
      return "simpleenroll";
    case Operation::simplereenroll:
      return "simplereenroll";
    case Operation::serverkeygen:
      return "serverkeygen";
  }
  return "unknown";
}

Grant Authorisation::authorise(const Request& request) const {
  // A certificate of a foreign CA was not issued here, so there is nothing to renew.
  if (request.operation == Operation::simplereenroll && !request.identity.record()) {
    forbid("reenroll.no_certificate", "re-enrolment needs the certificate that is renewed");
  }
  check_change_allowed(request);
  Grant grant = for_role(request);
  // An end entity's row outlives the configuration that it was checked against.
  if (grant.profile().ca) {
    forbid("entity.profile_of_ca", "this end entity cannot be served now",
           "certificate profile " + grant.profile().name + " makes CAs");
  }
  return grant;
}

Grant Authorisation::for_role(const Request& request) const {
  switch (request.identity.role()) {
    case Role::ra:
      return as_ra(request);
    case Role::self:
      return as_self(request);
    case Role::code:
      return as_code(request);
    case Role::vendor:
      return as_vendor(request);
  }
  throw Error(ErrorCode::internal, "enroll.role", "internal error", "a role nobody handles");
}

/// RA mode: what the alias says for whoever enrols there.
Grant Authorisation::of_alias(const Request& request) {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  Grant grant;
  grant.ca_ = &snapshot.ca(alias.ca);
  grant.profile_ = &snapshot.certificate_profile(alias.certificate_profile);
  grant.end_entity_profile_ = alias.end_entity_profile;
  return grant;
}

Grant Authorisation::as_ra(const Request& request) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  if (operation == Operation::simplereenroll) {
    const bool own = same_names(*identity.certificate(), csr);
    const bool others = alias.mode == AliasMode::ra && alias.allow_renewal_on_behalf;
    return own || !others ? as_self(request) : on_behalf(request);
  }
  if (alias.mode != AliasMode::ra) {
    forbid("enroll.not_own_names", "nobody names others here: end entities are registered");
  }
  Grant grant = of_alias(request);
  grant.names_ = requested_names(snapshot.end_entity_profile(alias.end_entity_profile),
                                 csr.subject(), csr.subject_alt_names());
  check_scope(identity.naming_right(), alias, grant.names_);
  grant.username_ = generated_username(alias, grant.names_.subject);
  grant.rule_ = EntityRule::create;
  grant.within_ = inside(alias.ra_scope);
  return grant;
}

/// A device's certificate speaks for its own end entity and names only, whatever the operation.
Grant Authorisation::as_self(const Request& request) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  const crypto::Certificate& own = *identity.certificate();
  const CertificateRecord& record = *identity.record();
  const bool renewal = is_renewal(request);
  check_validity(own, clock_.now(), renewal ? alias.expired_grace : std::chrono::seconds(0));
  Grant grant;
  grant.end_entity_profile_ = alias.end_entity_profile;
  if (alias.mode == AliasMode::ra) {
    grant.profile_ = &snapshot.certificate_profile(alias.certificate_profile);
  } else {
    const EndEntity entity = must_find(entities_, record.username);
    check_reachable(alias, entity);
    grant.profile_ = &profile_of(entity, snapshot.certificate_profiles, entity.certificate_profile);
    grant.end_entity_profile_ = entity.end_entity_profile;
    static_cast<void>(profile_of(entity, snapshot.end_entity_profiles, entity.end_entity_profile));
  }
  // Rules for names that were tightened since hold for renewals too.
  static_cast<void>(requested_names(snapshot.end_entity_profile(grant.end_entity_profile_),
                                    own.subject(), own.subject_alt_names()));
  if (record.profile != grant.profile_->name) {
    forbid("own_certificate.other_profile", "the client certificate belongs to another profile");
  }
  if (!same_names(own, csr)) {
    throw renewal ? Error(ErrorCode::forbidden, "reenroll.names_differ",  // EST-4.2.2-b
                          "subject and subjectAltName must be those of the certificate that is "
                          "renewed")
                  : Error(ErrorCode::forbidden, "enroll.not_own_names",
                          "this certificate may ask for its own names only");
  }
  grant.username_ = record.username;
  grant.ca_ = &snapshot.ca(record.ca);
  renew(request, own, grant);
  return grant;
}

/// A registration authority's certificate renews that of an end entity inside its scope: one that
/// is in force and has the request's names (EST-3.7-d). Only where the alias lets it.
Grant Authorisation::on_behalf(const Request& request) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  const Instant now = clock_.now();
  check_validity(*identity.certificate(), now, std::chrono::seconds(0));
  check_scope(identity.naming_right(), alias, {csr.subject(), csr.subject_alt_names()});
  const auto entity = entities_.find(generated_username(alias, csr.subject()));
  const auto renewed =
      entity ? certificate_in_force(registry_, alias, *entity, csr, now) : std::nullopt;
  if (!renewed) {
    forbid("reenroll.nothing_to_renew", "there is no valid certificate with these names to renew",
           entity ? "of " + entity->username : "no such end entity");
  }
  Grant grant = of_alias(request);
  static_cast<void>(requested_names(snapshot.end_entity_profile(alias.end_entity_profile),
                                    renewed->subject(), renewed->subject_alt_names()));
  grant.username_ = entity->username;
  grant.within_ = inside(alias.ra_scope);
  renew(request, *renewed, grant);
  return grant;
}

/// What a renewal gets, once it is clear that whoever asks may renew this certificate.
void Authorisation::renew(const Request& request, const crypto::Certificate& renewed,
                          Grant& grant) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  // The key of a CSR for serverkeygen is nobody's (EST-4.4.1-a).
  const bool keeps_key =
      operation != Operation::serverkeygen && csr.public_key() == renewed.public_key();
  check_renewal(alias, renewed, keeps_key, clock_.now());
  grant.renewed_ = renewed.serial();
  if (operation != Operation::simpleenroll) {  // EST-4.2.2-d
    grant.kind_ = keeps_key ? Kind::renew : Kind::rekey;
  }
  if (const auto wish = changed_names(csr)) {
    grant.names_ = renamed(request, renewed, *wish, grant);
    grant.rule_ = EntityRule::follow;
    return;
  }
  // The names as they were granted, not as the request spells them.
  grant.names_ = {renewed.subject(), renewed.subject_alt_names()};
}

/// CSN-7.1-d: new names pass what names of a first enrolment pass, and open nobody else's.
RequestedNames Authorisation::renamed(const Request& request, const crypto::Certificate& renewed,
                                      const RequestedWish& wish, const Grant& grant) const {
  const Alias& alias = request.alias;
  RequestedNames names = requested_names(
      request.snapshot.end_entity_profile(grant.end_entity_profile()), wish.subject, wish.san);
  const bool other_subject = !names.subject.matches(renewed.subject());
  if (alias.mode == AliasMode::ra) {
    require_inside(alias.ra_scope, names);
  } else {
    check_overrides(grant.profile(), other_subject,
                    !names.san.matches(renewed.subject_alt_names()));
  }
  if (other_subject) {
    check_not_taken(alias, names.subject, grant.username());
  }
  return names;
}

void Authorisation::check_not_taken(const Alias& alias, const crypto::Name& subject,
                                    const std::string& username) const {
  const std::optional<std::string> named = named_by(alias, subject);
  const auto holder = named ? entities_.find(*named) : std::nullopt;
  if (holder && holder->username != username) {
    forbid("change_subject.taken", "the new subject is that of another end entity",
           "of " + holder->username);
  }
}

Grant Authorisation::as_code(const Request& request) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  Grant grant = of_registered(request, *identity.entity(), wished_subject(alias, csr));
  grant.code_id_ = identity.code_id();
  return grant;
}

/// What its registration gives an end entity, and what the request may change of it.
Grant Authorisation::of_registered(const Request& request, const EndEntity& entity,
                                   const crypto::Name& wish) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  check_reachable(alias, entity);
  Grant grant;
  grant.profile_ = &profile_of(entity, snapshot.certificate_profiles, entity.certificate_profile);
  const RequestedNames wanted =
      registered_names(entity, *grant.profile_, wish, csr.subject_alt_names());
  grant.names_ =
      requested_names(profile_of(entity, snapshot.end_entity_profiles, entity.end_entity_profile),
                      wanted.subject, wanted.san);
  grant.username_ = entity.username;
  grant.ca_ = &snapshot.ca(entity.ca);
  grant.end_entity_profile_ = entity.end_entity_profile;
  return grant;
}

}  // namespace estia::ca
