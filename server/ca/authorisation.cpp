// SPDX-License-Identifier: Apache-2.0
#include "server/ca/authorisation.h"

#include <utility>

#include "crypto/base/error.h"
#include "server/ca/naming.h"

namespace estia::ca {
namespace {

[[noreturn]] void forbid(const char* id, const char* told, std::string detail = {}) {
  throw Error(ErrorCode::forbidden, id, told, std::move(detail));
}

/// Only who holds the right gets past this (EST-3.7-d).
void check_scope(const std::optional<NamingRight>& right, const Alias& alias,
                 const RequestedNames& names) {
  if (!right) {
    forbid("enroll.not_own_names", "this identity may not name others");
  }
  if (const auto outside = alias.ra_scope.outside(names.subject, names.san)) {
    forbid("enroll.outside_scope", "this name is outside what may be requested here", *outside);
  }
}

bool same_names(const crypto::Certificate& certificate, const crypto::Csr& csr) {
  return csr.subject().matches(certificate.subject()) &&
         csr.subject_alt_names().matches(certificate.subject_alt_names());
}

/// The subject as the client wrote it, without the code that one of its fields may hold.
crypto::Name wished_subject(const Alias& alias, const crypto::Csr& csr) {
  const bool holds_code =
      alias.mode == AliasMode::client && alias.code_source == CodeSource::dn_part;
  return holds_code ? without_field(csr.subject(), alias.code_field) : csr.subject();
}

/// Client mode: the alias may be for other end entities than this one.
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

/// A row may name a profile that a later configuration no longer has.
template <class Map>
const typename Map::mapped_type& profile_of(const EndEntity& entity, const Map& profiles,
                                            const std::string& name) {
  const auto found = profiles.find(name);
  if (found == profiles.end()) {
    forbid("entity.profile_gone", "this end entity cannot be served now",
           entity.username + " has the profile '" + name + "', which is not configured");
  }
  return found->second;
}

/// What was registered, and what the request may change of it.
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

}  // namespace

std::string_view to_string(Operation operation) noexcept {
  switch (operation) {
    case Operation::simpleenroll:
      return "simpleenroll";
    case Operation::simplereenroll:
      return "simplereenroll";
  }
  return "unknown";
}

Grant Authorisation::authorise(const Request& request) const {
  // A certificate of a foreign CA was not issued here, so there is nothing to renew.
  if (request.operation == Operation::simplereenroll && !request.identity.record()) {
    forbid("reenroll.no_certificate", "re-enrolment needs the certificate that is renewed");
  }
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

Grant Authorisation::as_ra(const Request& request) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  if (operation == Operation::simplereenroll) {
    return as_self(request);  // its own certificate; nobody else's
  }
  if (alias.mode != AliasMode::ra) {
    forbid("enroll.not_own_names", "nobody names others here: end entities are registered");
  }
  Grant grant;
  grant.names_ = requested_names(snapshot.end_entity_profile(alias.end_entity_profile),
                                 csr.subject(), csr.subject_alt_names());
  check_scope(identity.naming_right(), alias, grant.names_);
  grant.username_ = generated_username(alias, grant.names_.subject);
  grant.ca_ = &snapshot.ca(alias.ca);
  grant.profile_ = &snapshot.certificate_profile(alias.certificate_profile);
  grant.end_entity_profile_ = alias.end_entity_profile;
  grant.rule_ = EntityRule::create;
  grant.within_ = [&scope = alias.ra_scope](const auto& subject, const auto& san) {
    return !scope.outside(subject, san);
  };
  return grant;
}

/// A device's certificate speaks for its own end entity and names only, whatever the operation.
Grant Authorisation::as_self(const Request& request) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  const crypto::Certificate& own = *identity.certificate();
  const CertificateRecord& record = *identity.record();
  if (const Instant now = clock_.now(); now < own.not_before() || now > own.not_after()) {
    forbid("own_certificate.not_valid", "the client certificate is not valid now");
  }
  Grant grant;
  grant.end_entity_profile_ = alias.end_entity_profile;
  if (alias.mode == AliasMode::ra) {
    grant.profile_ = &snapshot.certificate_profile(alias.certificate_profile);
  } else {
    const auto entity = entities_.find(record.username);
    if (!entity) {
      forbid("entity.unknown", "this end entity is not registered");
    }
    check_reachable(alias, *entity);
    grant.profile_ =
        &profile_of(*entity, snapshot.certificate_profiles, entity->certificate_profile);
    grant.end_entity_profile_ = entity->end_entity_profile;
    static_cast<void>(
        profile_of(*entity, snapshot.end_entity_profiles, entity->end_entity_profile));
  }
  // Rules for names that were tightened since hold for renewals too.
  static_cast<void>(requested_names(snapshot.end_entity_profile(grant.end_entity_profile_),
                                    own.subject(), own.subject_alt_names()));
  if (record.profile != grant.profile_->name) {
    forbid("own_certificate.other_profile", "the client certificate belongs to another profile");
  }
  const bool renewal = operation == Operation::simplereenroll;
  if (!same_names(own, csr)) {
    throw renewal ? Error(ErrorCode::forbidden, "reenroll.names_differ",  // EST-4.2.2-b
                          "subject and subjectAltName must be those of the certificate that is "
                          "renewed")
                  : Error(ErrorCode::forbidden, "enroll.not_own_names",
                          "this certificate may ask for its own names only");
  }
  if (!alias.allow_same_key && csr.public_key() == own.public_key()) {
    throw Error(ErrorCode::malformed, "reenroll.key_reuse", "a renewal needs a new key here");
  }
  // The names as they were granted, not as the request spells them.
  grant.names_ = {own.subject(), own.subject_alt_names()};
  grant.username_ = record.username;
  grant.ca_ = &snapshot.ca(record.ca);
  return grant;
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

/// A manufacturer's certificate says which device asks, and that is all: its subject stands in the
/// request unchanged (EST-4.2.1-d), and names come from the registration.
Grant Authorisation::as_vendor(const Request& request) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  const crypto::Certificate& vendor = *identity.certificate();
  if (!csr.subject().matches(vendor.subject())) {
    forbid("vendor.names_differ", "the subject must be that of the vendor certificate");
  }
  Grant grant =
      alias.mode == AliasMode::client
          ? vendor_of_registered(request, username_in(vendor.subject(), alias.username_field))
          : vendor_of_new(request);
  grant.first_only_ = true;
  return grant;
}

Grant Authorisation::vendor_of_registered(const Request& request,
                                          const std::string& username) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  const std::optional<EndEntity> entity = entities_.find(username);
  if (!entity) {
    forbid("entity.unknown", "this end entity is not registered");
  }
  // The vendor's subject is a proof, not a wish, unless the profile makes it one.
  const CertificateProfile& profile =
      profile_of(*entity, snapshot.certificate_profiles, entity->certificate_profile);
  const crypto::Name wish = profile.override_subject ? csr.subject() : crypto::Name();
  return of_registered(request, *entity, wish);
}

/// `vendor_in_ra_mode`: names that the vendor certified, inside the scope.
Grant Authorisation::vendor_of_new(const Request& request) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  const crypto::GeneralNames certified = identity.certificate()->subject_alt_names();
  if (!csr.subject_alt_names().empty() && !csr.subject_alt_names().matches(certified)) {
    forbid("vendor.names_differ",
           "subjectAltName must be that of the vendor certificate, or absent");
  }
  Grant grant;
  grant.names_ = requested_names(snapshot.end_entity_profile(alias.end_entity_profile),
                                 csr.subject(), csr.subject_alt_names());
  if (const auto outside = alias.ra_scope.outside(grant.names_.subject, grant.names_.san)) {
    forbid("enroll.outside_scope", "this name is outside what may be requested here", *outside);
  }
  grant.username_ = generated_username(alias, grant.names_.subject);
  grant.ca_ = &snapshot.ca(alias.ca);
  grant.profile_ = &snapshot.certificate_profile(alias.certificate_profile);
  grant.end_entity_profile_ = alias.end_entity_profile;
  grant.rule_ = EntityRule::create;
  // Nobody else's end entity, should its username be the same.
  grant.within_ = [names = grant.names_](const auto& subject, const auto& san) {
    return names.subject.matches(subject) && names.san.matches(san);
  };
  return grant;
}

}  // namespace estia::ca
