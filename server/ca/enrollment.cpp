// SPDX-License-Identifier: Apache-2.0
#include "server/ca/enrollment.h"

#include <utility>

#include "crypto/keys/digest.h"

namespace estia::ca {
namespace {

/// Everything EST-4.2.3-f compares, so that only a true repetition of a request finds its
/// certificate again. The CSR's bytes are not in it: a client that repeats over a new connection
/// has signed anew (EST-3.5-h). Nor is its subject, which may hold a code: the granted names are
/// made of it, and of nothing else.
Bytes retry_key(const Request& request, const Grant& grant) {
  crypto::Sha256 digest;
  digest.field(as_bytes(request.alias.name));
  digest.field(as_bytes(to_string(request.operation)));
  digest.field(as_bytes(request.identity.who()));
  digest.field(request.csr.public_key().fingerprint());
  digest.field(grant.names().subject.der());
  digest.field(grant.names().san.der());
  for (const crypto::Extension& extension : request.csr.requested_extensions()) {
    digest.field(as_bytes(extension.oid));
    digest.field(as_bytes(extension.critical ? "critical" : ""));
    digest.field(extension.value);
  }
  digest.field(as_bytes(std::to_string(request.snapshot.version)));
  digest.field(grant.ca().certificate().fingerprint_sha256());
  return digest.finish();
}

}  // namespace

crypto::IssuedCertificate Enrollment::enroll(const Snapshot& snapshot, const Alias& alias,
                                             const Identity& identity, Operation operation,
                                             const crypto::Csr& csr) {
  const Request request{snapshot, alias, identity, operation, csr};
  const Grant grant = authorisation_.authorise(request);
  const crypto::Certificate& ca_certificate = grant.ca().certificate();
  PreparedCertificate prepared =
      issuer_.prepare({.ca = grant.ca().name,
                       .issuer = ca_certificate.subject(),
                       .issuer_key_identifier = ca_certificate.subject_key_identifier(),
                       .issuer_not_before = ca_certificate.not_before(),
                       .issuer_not_after = ca_certificate.not_after(),
                       .issuer_key = ca_certificate.public_key(),
                       .profile = &grant.profile(),
                       .subject = grant.names().subject,
                       .san = grant.names().san,
                       .subject_key = csr.public_key(),
                       .wishes = csr.requested_extensions(),
                       .alias = alias.name,
                       .operation = std::string(to_string(operation)),
                       .config_version = snapshot.version,
                       .who = identity.who(),
                       .presented = identity.record() ? identity.record()->serial : Bytes(),
                       .username = grant.username(),
                       .end_entity_profile = grant.end_entity_profile(),
                       .entity_rule = grant.rule(),
                       .code_id = grant.code_id(),
                       .within =
                           [&alias](const crypto::Name& subject, const crypto::GeneralNames& san) {
                             return !alias.ra_scope.outside(subject, san);
                           },
                       .retry_key = retry_key(request, grant),
                       .retry_window = alias.retry_window});
  return issuer_.issue(std::move(prepared), keys_.key_for(grant.ca()));
}

}  // namespace estia::ca
