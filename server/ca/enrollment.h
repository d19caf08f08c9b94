// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/x509/csr.h"
#include "server/ca/authorisation.h"
#include "server/ca/ca_keys.h"
#include "server/ca/identity.h"
#include "server/ca/issuer.h"
#include "server/ca/model.h"

namespace estia::ca {

/// From an authenticated request to its certificate: Authorisation decides, the Issuer makes it.
/// Any thread.
class Enrollment final {
 public:
  Enrollment(Issuer& issuer, const EndEntityStore& entities, const CaKeys& keys, const Clock& clock)
      : issuer_(issuer), authorisation_(entities, clock), keys_(keys) {}

  /// The CSR's signature must have been verified. Throws what Authorisation::authorise,
  /// contents_for and Issuer::issue throw; docs/messages.md, section "enrolment", lists them.
  [[nodiscard]] crypto::IssuedCertificate enroll(const Snapshot& snapshot, const Alias& alias,
                                                 const Identity& identity, Operation operation,
                                                 const crypto::Csr& csr);

 private:
  Issuer& issuer_;
  const Authorisation authorisation_;
  const CaKeys& keys_;
};

}  // namespace estia::ca
