// SPDX-License-Identifier: Apache-2.0
#include "server/ca/enrollment.h"

#include <openssl/evp.h>

#include <utility>

#include "crypto/base/error.h"
#include "crypto/keys/digest.h"
#include "server/ca/requested_names.h"

namespace estia::ca {
namespace {

/// Everything EST-4.2.3-f compares, so that only a true repetition of a request finds its
/// certificate again. The CSR's bytes are not in it: a client that repeats over a new connection
/// has signed anew (EST-3.5-h).
Bytes retry_key(const Snapshot& snapshot, const Alias& alias, const Identity& identity,
                Operation operation, const crypto::Csr& csr) {
  crypto::Sha256 digest;
  digest.field(as_bytes(alias.name));
  digest.field(as_bytes(to_string(operation)));
  digest.field(as_bytes(identity.who()));
  digest.field(csr.public_key().fingerprint());
  digest.field(csr.subject().der());
  for (const crypto::Extension& extension : csr.requested_extensions()) {
    digest.field(as_bytes(extension.oid));
    digest.field(as_bytes(extension.critical ? "critical" : ""));
    digest.field(extension.value);
  }
  digest.field(as_bytes(std::to_string(snapshot.version)));
  digest.field(snapshot.ca(alias.ca).certificate().fingerprint_sha256());
  return digest.finish();
}

void check_scope(const Alias& alias, const RequestedNames& names) {
  if (const auto outside = alias.ra_scope.outside(names.subject, names.san)) {
    throw Error(ErrorCode::forbidden, "enroll.outside_scope",
                "this name is outside what may be requested here", *outside);
  }
}

bool same_names(const crypto::Certificate& certificate, const crypto::Csr& csr) {
  return csr.subject().matches(certificate.subject()) &&
         csr.subject_alt_names().matches(certificate.subject_alt_names());
}

/// EST-4.2.2-f: the certificate that is renewed, as the store knows it now (a session may be older
/// than a revocation).
CertificateRecord check_own(const Registry& registry, const Alias& alias,
                            const crypto::Certificate& original, Instant now) {
  const auto refuse = [](const char* id, const char* told) -> void {
    throw Error(ErrorCode::forbidden, id, told);
  };
  auto record = registry.find(original.serial());
  if (!record || record->ca != alias.ca || record->state != CertificateState::issued ||
      record->certificate != original.der()) {
    refuse("own_certificate.unknown", "the client certificate was not issued by this CA");
  }
  if (record->revocation) {
    refuse("own_certificate.revoked", "the client certificate is revoked");
  }
  if (now < original.not_before() || now > original.not_after()) {
    refuse("own_certificate.not_valid", "the client certificate is not valid now");
  }
  if (record->profile != alias.certificate_profile) {
    refuse("own_certificate.other_profile", "the client certificate belongs to another profile");
  }
  return *record;
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

Enrollment::Enrollment(Issuer& issuer, const Registry& registry, const CaKeys& keys,
                       const Clock& clock)
    : issuer_(issuer), registry_(registry), keys_(keys), clock_(clock) {}

Enrollment::Grant Enrollment::authorise(const Alias& alias, const Identity& identity,
                                        Operation operation, const crypto::Csr& csr,
                                        RequestedNames names) const {
  const bool renewal = operation == Operation::simplereenroll;
  if (!renewal && identity.role() == Role::ra) {
    check_scope(alias, names);
    std::string username = username_from(alias, names.subject);
    return {std::move(username), std::move(names)};
  }
  if (!identity.certificate()) {
    throw Error(ErrorCode::forbidden, "reenroll.no_certificate",
                "re-enrolment needs the certificate that is renewed");
  }
  // A device's certificate speaks for its own names only, whatever the operation.
  const crypto::Certificate& own = *identity.certificate();
  CertificateRecord record = check_own(registry_, alias, own, clock_.now());
  if (!same_names(own, csr)) {
    throw renewal ? Error(ErrorCode::forbidden, "reenroll.names_differ",  // EST-4.2.2-b
                          "subject and subjectAltName must be those of the certificate that is "
                          "renewed")
                  : Error(ErrorCode::forbidden, "enroll.not_own_names",
                          "this certificate may ask for its own names only");
  }
  if (renewal && !alias.allow_same_key && csr.public_key() == own.public_key()) {
    throw Error(ErrorCode::malformed, "reenroll.key_reuse", "a renewal needs a new key here");
  }
  // The names as they were granted, not as the request spells them: "DEVICE-A" matches "device-a",
  // but may be what another end entity is called.
  return {std::move(record.username), {own.subject(), own.subject_alt_names()}};
}

crypto::Certificate Enrollment::enroll(const Snapshot& snapshot, const Alias& alias,
                                       const Identity& identity, Operation operation,
                                       const crypto::Csr& csr) {
  RequestedNames requested =
      requested_names(snapshot.end_entity_profile(alias.end_entity_profile), csr);
  const Grant grant = authorise(alias, identity, operation, csr, std::move(requested));
  const CertificationAuthority& ca = snapshot.ca(alias.ca);
  const crypto::Certificate& ca_certificate = ca.certificate();
  PreparedCertificate prepared =
      issuer_.prepare({.ca = ca.name,
                       .issuer = ca_certificate.subject(),
                       .issuer_key_identifier = ca_certificate.subject_key_identifier(),
                       .issuer_not_before = ca_certificate.not_before(),
                       .issuer_not_after = ca_certificate.not_after(),
                       .issuer_key = ca_certificate.public_key(),
                       .profile = &snapshot.certificate_profile(alias.certificate_profile),
                       .subject = grant.names.subject,
                       .san = grant.names.san,
                       .subject_key = csr.public_key(),
                       .alias = alias.name,
                       .operation = std::string(to_string(operation)),
                       .config_version = snapshot.version,
                       .who = identity.who(),
                       .username = grant.username,
                       .retry_key = retry_key(snapshot, alias, identity, operation, csr),
                       .retry_window = alias.retry_window,
                       .renewal = operation == Operation::simplereenroll});
  return issuer_.issue(std::move(prepared), keys_.key_for(ca));
}

}  // namespace estia::ca
