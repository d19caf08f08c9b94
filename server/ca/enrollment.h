// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "crypto/x509/csr.h"
#include "server/ca/ca_keys.h"
#include "server/ca/identity.h"
#include "server/ca/issuer.h"
#include "server/ca/model.h"

namespace estia::ca {

enum class Operation { simpleenroll, simplereenroll };
[[nodiscard]] std::string_view to_string(Operation operation) noexcept;

/// May they? One function for every protocol and path (CVE-2020-28942): role, scope, names, key,
/// then the Issuer. Any thread.
class Enrollment final {
 public:
  Enrollment(Issuer& issuer, Registry& registry, const CaKeys& keys, const Clock& clock);

  /// The CSR's signature must have been verified. Throws Error with the refusals of
  /// docs/messages.md, section "enrolment": forbidden "enroll.outside_scope",
  /// "enroll.not_own_names", "reenroll.not_original", "reenroll.revoked", "reenroll.names_differ",
  /// "reenroll.key_reuse"; malformed "enroll.subject_attribute", "enroll.no_username",
  /// "enroll.san_kind", ...
  [[nodiscard]] crypto::Certificate enroll(const Snapshot& snapshot, const Alias& alias,
                                           const Identity& identity, Operation operation,
                                           const crypto::Csr& csr);

 private:
  void check_self(const Alias& alias, const Identity& identity, Operation operation,
                  const crypto::Csr& csr) const;

  Issuer& issuer_;
  Registry& registry_;
  const CaKeys& keys_;
  const Clock& clock_;
};

}  // namespace estia::ca
