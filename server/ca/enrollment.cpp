// SPDX-License-Identifier: Apache-2.0
#include "server/ca/enrollment.h"

#include <utility>

#include "crypto/base/error.h"
#include "crypto/keys/digest.h"
#include "server/ca/aim.h"

namespace estia::ca {
namespace {

/// Empty for serverkeygen: each request gets a pair of its own, and no answer can be given again.
/// Else everything EST-4.2.3-f compares, so that only a true repetition of a request finds its
/// certificate again. The CSR's bytes are not in it: a client that repeats over a new connection
/// has signed anew (EST-3.5-h). Nor is its subject, which may hold a code: the granted names are
/// made of it, and of nothing else.
Bytes retry_key(const Request& request, const Grant& grant) {
  if (request.operation == Operation::serverkeygen) {
    return {};
  }
  crypto::Sha256 digest;
  digest.field(as_bytes(request.alias.name));
  digest.field(as_bytes(to_string(request.operation)));
  digest.field(as_bytes(request.identity.who()));
  digest.field(request.csr.public_key().fingerprint());
  digest.field(grant.names().subject.der());
  digest.field(grant.names().san.der());
  if (grant.rule() != EntityRule::create) {  // then it may be made anew for each request
    digest.field(as_bytes(grant.username()));
  }
  for (const crypto::Extension& extension : request.csr.requested_extensions()) {
    digest.field(as_bytes(extension.oid));
    digest.field(as_bytes(extension.critical ? "critical" : ""));
    digest.field(extension.value);
  }
  digest.field(as_bytes(std::to_string(request.snapshot.version)));
  digest.field(grant.ca().certificate().fingerprint_sha256());
  return digest.finish();
}

/// An answer of serverkeygen that is lost takes its key with it: the certificate that was renewed
/// must then still be good to ask again. The next renewal supersedes both.
bool supersedes(const Request& request, const Grant& grant) {
  return grant.profile().single_active && request.operation != Operation::serverkeygen;
}

std::string audit_detail(const Grant& grant) {
  std::string detail = "kind=" + std::string(to_string(grant.kind()));
  if (!grant.renewed().empty()) {
    detail += " renewed=" + to_hex(grant.renewed());
  }
  return detail;
}

}  // namespace

PreparedCertificate Enrollment::prepared(const Request& request, const Grant& grant,
                                         const crypto::PublicKey& subject_key) const {
  const auto& [snapshot, alias, identity, operation, csr] = request;
  const crypto::Certificate& ca_certificate = grant.ca().certificate();
  const Bytes presented = identity.record() ? identity.record()->serial : Bytes();
  return issuer_.prepare(
      {.ca = grant.ca().name,
       .issuer = ca_certificate.subject(),
       .issuer_key_identifier = ca_certificate.subject_key_identifier(),
       .issuer_not_before = ca_certificate.not_before(),
       .issuer_not_after = ca_certificate.not_after(),
       .issuer_key = ca_certificate.public_key(),
       .profile = &grant.profile(),
       .subject = grant.names().subject,
       .san = grant.names().san,
       .subject_key = subject_key,
       .wishes = csr.requested_extensions(),
       .alias = alias.name,
       .operation = std::string(to_string(operation)),
       .config_version = snapshot.version,
       .who = identity.who(),
       .presented = presented,
       .renewed = grant.renewed() == presented ? Bytes() : grant.renewed(),
       .audit_detail = audit_detail(grant),
       .username = grant.username(),
       .end_entity_profile = grant.end_entity_profile(),
       .entity_rule = grant.rule(),
       .code_id = grant.code_id(),
       .first_only = grant.first_only(),
       .within = grant.within(),
       .uniqueness = {.subject = grant.ca().unique_subject,
                      .key = grant.ca().unique_key,
                      .fresh_key = grant.ca().enforce_key_renewal || !alias.allow_same_key,
                      .single_active = supersedes(request, grant)},
       .retry_key = retry_key(request, grant),
       .retry_window = alias.retry_window});
}

Enrolled Enrollment::enroll(const Snapshot& snapshot, const Alias& alias, const Identity& identity,
                            Operation operation, const crypto::Csr& csr, KeyTaker* taker) {
  const Request request{snapshot, alias, identity, operation, csr};
  const Grant grant = authorisation_.authorise(request);
  if (operation == Operation::serverkeygen) {
    return with_server_key(request, grant, *taker);
  }
  return {.certificate = issued(request, grant, csr.public_key()),
          .kind = grant.kind(),
          .key_fingerprint = csr.public_key().fingerprint()};
}

crypto::IssuedCertificate Enrollment::issued(const Request& request, const Grant& grant,
                                             const crypto::PublicKey& key) const {
  try {
    return issuer_.issue(prepared(request, grant, key), keys_.key_for(grant.ca()));
  } catch (const Error& error) {
    if (error.id() == "issuer.bad_signature") {
      keys_.distrust(grant.ca());
    }
    throw;
  }
}

/// Who would be refused once the key is there must not cost the token one, so all that the
/// transaction decides is asked beforehand; and what is to be done with the key is done before the
/// certificate exists.
Enrolled Enrollment::with_server_key(const Request& request, const Grant& grant, KeyTaker& taker) {
  const crypto::KeySpec spec =
      server_key_spec(request.alias, grant.profile(), request.csr.public_key());
  static_cast<void>(issuer_.rehearse(prepared(request, grant, stand_in_key(spec))));
  taker.prepare(grant.username(), server_keys_);
  const crypto::PublicKey key = taker.take(server_keys_, spec);
  return {.certificate = issued(request, grant, key),
          .kind = grant.kind(),
          .key_fingerprint = key.fingerprint()};
}

void Enrollment::explain(const Request& request, Explanation& explanation, KeyTaker* taker) const {
  const Aim aim = aim_of(request, entities_);
  explanation.username = aim.username;
  explanation.ca = aim.ca;
  const Grant grant = authorisation_.authorise(request);
  explanation.kind = to_string(grant.kind());
  explanation.username = grant.username();
  explanation.creates_entity =
      grant.rule() == EntityRule::create && !entities_.find(grant.username());
  explanation.ca = grant.ca().name;
  explanation.end_entity_profile = grant.end_entity_profile();
  explanation.certificate_profile = grant.profile().name;
  explanation.subject = grant.names().subject.text();
  explanation.san = grant.names().san.texts();
  const crypto::PublicKey& own = request.csr.public_key();
  const crypto::PublicKey key =
      request.operation == Operation::serverkeygen
          ? stand_in_key(server_key_spec(request.alias, grant.profile(), own))
          : own;
  const IntentOutcome outcome = issuer_.rehearse(prepared(request, grant, key));
  if (const auto* issued = std::get_if<AlreadyIssued>(&outcome)) {
    explanation.repeats = to_hex(issued->serial);
  } else if (const auto* open = std::get_if<Resume>(&outcome)) {
    explanation.repeats = to_hex(open->serial);
  }
  if (taker != nullptr) {
    taker->prepare(grant.username(), server_keys_);
  }
}

}  // namespace estia::ca
