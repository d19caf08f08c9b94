// SPDX-License-Identifier: Apache-2.0
#include "server/ca/renewal.h"

#include <utility>

#include "crypto/base/error.h"

namespace estia::ca {

std::string_view to_string(Kind kind) noexcept {
  switch (kind) {
    case Kind::enrol:
      return "enrol";
    case Kind::renew:
      return "renew";
    case Kind::rekey:
      return "rekey";
  }
  return "unknown";
}

bool same_names(const crypto::Certificate& certificate, const crypto::Csr& csr) {
  return csr.subject().matches(certificate.subject()) &&
         csr.subject_alt_names().matches(certificate.subject_alt_names());
}

void check_renewal(const Alias& alias, const crypto::Certificate& renewed, bool keeps_key,
                   Instant now) {
  if (alias.renewal_window) {
    const Instant from = renewed.not_after() - *alias.renewal_window;
    if (now < from) {
      throw Error(ErrorCode::forbidden, "reenroll.too_early",
                  "this certificate may be renewed from " + utc_text(from) + " on");
    }
  }
  if (!alias.allow_same_key && keeps_key) {
    throw Error(ErrorCode::malformed, "reenroll.key_reuse", "a renewal needs a new key here");
  }
}

std::optional<crypto::Certificate> certificate_in_force(const Registry& registry,
                                                        const Alias& alias, const EndEntity& entity,
                                                        const crypto::Csr& csr, Instant now) {
  std::optional<crypto::Certificate> answer;
  const InForce wanted{.username = entity.username,
                       .ca = alias.ca,
                       .profile = alias.certificate_profile,
                       .subject = csr.subject().canonical(),
                       .at = now,
                       .superseded_after = now - alias.retry_window};
  for (const CertificateRecord& record : registry.in_force(wanted)) {
    crypto::Certificate certificate = crypto::Certificate::parse(record.certificate);
    if (!same_names(certificate, csr)) {
      continue;
    }
    // A repeated request is judged like the first one, not by what that one got (EST-4.2.3-f).
    const bool may_be_answer = certificate.public_key() == csr.public_key() &&
                               now - record.recorded_at < alias.retry_window;
    if (!may_be_answer) {
      return certificate;
    }
    if (!answer) {
      answer = std::move(certificate);
    }
  }
  return answer;
}

}  // namespace estia::ca
