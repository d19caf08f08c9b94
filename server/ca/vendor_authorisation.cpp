// SPDX-License-Identifier: Apache-2.0
// What a manufacturer's certificate gives its device.
#include "server/ca/authorisation.h"
#include "server/ca/changed_names.h"
#include "server/ca/naming.h"
#include "server/ca/registered.h"

namespace estia::ca {

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
  const EndEntity entity = must_find(entities_, username);
  const CertificateProfile& profile =
      profile_of(entity, snapshot.certificate_profiles, entity.certificate_profile);
  if (const auto wish = changed_names(csr)) {
    return vendor_renamed(request, entity, *wish);
  }
  // The vendor's subject is a proof, not a wish, unless the profile makes it one.
  const crypto::Name wish = profile.override_subject ? csr.subject() : crypto::Name();
  return of_registered(request, entity, wish);
}

/// ChangeSubjectName replaces (CSN-7.1-b): what differs from the registration is for the profile to
/// allow, and never ignored.
Grant Authorisation::vendor_renamed(const Request& request, const EndEntity& entity,
                                    const RequestedWish& wish) const {
  Grant grant = of_registered(request, entity, crypto::Name());
  check_overrides(grant.profile(), !wish.subject.matches(entity.subject),
                  !wish.san.matches(entity.san));
  grant.names_ = requested_names(request.snapshot.end_entity_profile(grant.end_entity_profile()),
                                 wish.subject, wish.san);
  check_not_taken(request.alias, grant.names_.subject, grant.username());
  return grant;
}

/// `vendor_in_ra_mode`: names that the vendor certified, or those of ChangeSubjectName, inside the
/// scope. The end entity is the vendor's subject in both cases.
Grant Authorisation::vendor_of_new(const Request& request) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  const crypto::GeneralNames certified = identity.certificate()->subject_alt_names();
  if (!csr.subject_alt_names().empty() && !csr.subject_alt_names().matches(certified)) {
    forbid("vendor.names_differ",
           "subjectAltName must be that of the vendor certificate, or absent");
  }
  const EndEntityProfile& profile = snapshot.end_entity_profile(alias.end_entity_profile);
  const auto wish = changed_names(csr);
  Grant grant = of_alias(request);
  grant.username_ = generated_username(alias, csr.subject());
  grant.names_ = wish ? requested_names(profile, wish->subject, wish->san)
                      : requested_names(profile, csr.subject(), csr.subject_alt_names());
  require_inside(alias.ra_scope, grant.names_);
  if (wish) {
    check_not_taken(alias, grant.names_.subject, grant.username());
  }
  grant.rule_ = EntityRule::create;
  // Nobody else's end entity, should its username be the same.
  grant.within_ = [names = grant.names_](const auto& subject, const auto& san) {
    return names.subject.matches(subject) && names.san.matches(san);
  };
  return grant;
}

}  // namespace estia::ca
