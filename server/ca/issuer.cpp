// SPDX-License-Identifier: Apache-2.0
#include "server/ca/issuer.h"

#include <utility>

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "crypto/x509/certificate_builder.h"
#include "crypto/x509/lint.h"
#include "server/ca/contents.h"

namespace estia::ca {
namespace {

constexpr std::size_t kSerialOctets = 20;
/// From the beginning of what is waited for: a call that takes longer may never come back, and who
/// waits has a worker. Whoever is told to repeat the request is given the certificate then.
constexpr std::chrono::seconds kLongestWait{2};

void require_clean_lint(const Bytes& tbs, const crypto::SignatureAlgorithm& algorithm) {
  std::string errors;
  for (const crypto::Finding& finding : crypto::lint_tbs(tbs, algorithm)) {
    if (finding.severity == crypto::Finding::Severity::error) {
      errors += (errors.empty() ? "" : "; ") + finding.id + ": " + finding.text;
    }
  }
  if (!errors.empty()) {
    throw Error(ErrorCode::internal, "issuer.lint", "internal error", errors);
  }
}

/// One that was made earlier. It is rare enough to be read before it is released again.
crypto::IssuedCertificate from_store(const Bytes& der) {
  return {crypto::Certificate::parse(der).serial(), der};
}

/// Throws what a lost claim says.
IntentOutcome accepted(IntentOutcome outcome) {
  if (const auto* refused = std::get_if<Refused>(&outcome)) {
    throw Error(refused->code, refused->id, refused->reason, refused->detail);
  }
  return outcome;
}

}  // namespace

Bytes random_serial() {
  Bytes serial(kSerialOctets);
  do {
    random_fill(serial);
    serial[0] &= 0x7FU;      // positive without a 21st octet (RFC 5280 4.1.2.2)
  } while (serial[0] == 0);  // a leading zero octet would be cut by DER and make the length vary
  return serial;
}

/// Marks a serial as being signed by this process for as long as it lives.
class Issuer::InFlight final {
 public:
  /// `mine()` is false when another thread is at it.
  InFlight(Issuer& issuer, Bytes serial) : issuer_(issuer), serial_(std::move(serial)) {
    const std::lock_guard lock(issuer_.mutex_);
    mine_ = issuer_.in_flight_.emplace(serial_, std::chrono::steady_clock::now()).second;
  }
  ~InFlight() {
    if (mine_) {
      const std::lock_guard lock(issuer_.mutex_);
      issuer_.in_flight_.erase(serial_);
      issuer_.changed_.notify_all();
    }
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  InFlight(InFlight&&) = delete;
  InFlight& operator=(InFlight&&) = delete;
  [[nodiscard]] bool mine() const noexcept { return mine_; }

 private:
  Issuer& issuer_;
  Bytes serial_;
  bool mine_ = false;
};

Issuer::Issuer(Registry& registry, const Clock& clock) : registry_(registry), clock_(clock) {}

AuditEvent Issuer::event(const char* what, const std::string& outcome, const Bytes& serial,
                         const Intent& intent) const {
  return AuditEvent{.at = clock_.now(),
                    .who = intent.who,
                    .what = what,
                    .outcome = outcome,
                    .object = to_hex(serial),
                    .detail = intent.audit_detail};
}

// Step 1: prepare.
PreparedCertificate Issuer::prepare(const IssuanceRequest& request) const {
  const Instant now = clock_.now();
  const Bytes serial = random_serial();
  const crypto::CertificateContents contents = contents_for(request, serial, now);
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(request.issuer_key);
  Bytes tbs = crypto::build_tbs(contents, algorithm);
  require_clean_lint(tbs, algorithm);
  return {Intent{.serial = serial,
                 .ca = request.ca,
                 .tbs = std::move(tbs),
                 .alias = request.alias,
                 .operation = request.operation,
                 .profile = request.profile->name,
                 .config_version = request.config_version,
                 .who = request.who,
                 .presented = request.presented,
                 .renewed = request.renewed,
                 .audit_detail = request.audit_detail,
                 .username = request.username,
                 .subject = request.subject.canonical(),
                 .subject_text = request.subject.text(),
                 .entity = {.rule = request.entity_rule,
                            .end_entity_profile = request.end_entity_profile,
                            .subject = request.subject.der(),
                            .san = request.san.der(),
                            .code_id = request.code_id,
                            .first_only = request.first_only,
                            .within = request.within},
                 .key_fingerprint = request.subject_key.fingerprint(),
                 .uniqueness = request.uniqueness,
                 .not_before = contents.not_before,
                 .not_after = contents.not_after,
                 .retry_key = request.retry_key,
                 .retry_window = request.retry_window},
          request.issuer_key};
}

IntentOutcome Issuer::rehearse(const PreparedCertificate& prepared) const {
  return accepted(registry_.rehearse(prepared.intent_));
}

crypto::IssuedCertificate Issuer::issue(PreparedCertificate prepared,
                                        const crypto::PrivateKey& ca_key) {
  const Intent& intent = prepared.intent_;
  // Before the intent is visible to others, so that nobody who finds it open can think that a crash
  // left it.
  const InFlight own(*this, intent.serial);
  for (;;) {
    // Step 2: record what we mean to sign; one-time claims are decided here.
    const IntentOutcome outcome = accepted(
        registry_.intend(intent, event("certificate.intent", "ok", intent.serial, intent)));
    if (const auto* issued = std::get_if<AlreadyIssued>(&outcome)) {
      return from_store(issued->certificate);
    }
    if (const auto* resume = std::get_if<Resume>(&outcome)) {
      if (auto certificate = resume_open(*resume, prepared, ca_key)) {
        return *certificate;
      }
      continue;  // somebody else finished it: ask again what became of it
    }
    return sign_and_commit(intent.serial, intent.tbs, prepared, ca_key, Origin::fresh);
  }
}

std::optional<crypto::IssuedCertificate> Issuer::resume_open(const Resume& open,
                                                             const PreparedCertificate& prepared,
                                                             const crypto::PrivateKey& ca_key) {
  {
    const InFlight claim(*this, open.serial);
    if (claim.mine()) {
      const auto record = registry_.find(open.serial);
      if (!record || record->state != CertificateState::intended) {
        return std::nullopt;  // finished between the look and the claim
      }
      // Left by a crash: sign the *recorded* bytes, so that one serial never names two different
      // certificates (D5).
      return sign_and_commit(open.serial, open.tbs, prepared, ca_key, Origin::resumed);
    }
  }
  std::unique_lock lock(mutex_);
  const auto other = in_flight_.find(open.serial);
  if (other == in_flight_.end()) {
    return std::nullopt;
  }
  const auto deadline = other->second + kLongestWait;
  if (!changed_.wait_until(lock, deadline, [&] { return !in_flight_.contains(open.serial); })) {
    throw Error(ErrorCode::busy, "issuer.in_flight",
                "the same request is still being answered; retry later");
  }
  return std::nullopt;
}

crypto::IssuedCertificate Issuer::sign_and_commit(const Bytes& serial, const Bytes& tbs,
                                                  const PreparedCertificate& prepared,
                                                  const crypto::PrivateKey& ca_key, Origin origin) {
  const Intent& intent = prepared.intent_;
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(prepared.issuer_key_);
  // Step 3: the token signs.
  Bytes signature;
  try {
    signature = ca_key.sign(tbs, algorithm);
  } catch (const Error& error) {
    // The token gave no signature for a fresh intent: its claims go back. A resumed one may have
    // been signed before the crash.
    if (origin == Origin::fresh) {
      registry_.fail(serial, event("certificate.failed", error.id(), serial, intent));
    }
    throw;
  }
  // Step 4: verify before anything is released (D3): a stale handle may mean another key.
  if (!prepared.issuer_key_.verify(tbs, signature, algorithm)) {
    throw Error(ErrorCode::token, "issuer.bad_signature", "the CA cannot sign now; retry later",
                "the token's signature for serial " + to_hex(serial) + " does not verify");
  }
  // Step 5: record the result. Step 6, the answer, is whatever stands recorded.
  crypto::IssuedCertificate certificate = crypto::assemble_certificate(tbs, algorithm, signature);
  const Bytes recorded = registry_.commit(serial, certificate.der(),
                                          event("certificate.issued", "ok", serial, intent));
  return recorded == certificate.der() ? certificate : from_store(recorded);
}

}  // namespace estia::ca
