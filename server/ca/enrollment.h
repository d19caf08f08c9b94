// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/x509/csr.h"
#include "server/ca/ca_keys.h"
#include "server/ca/identity.h"
#include "server/ca/issuer.h"
#include "server/ca/model.h"
#include "server/ca/requested_names.h"

namespace estia::ca {

enum class Operation { simpleenroll, simplereenroll };
[[nodiscard]] std::string_view to_string(Operation operation) noexcept;

/// May they? One function for every protocol and path (CVE-2020-28942): role, scope, names, key,
/// then the Issuer. Any thread.
class Enrollment final {
 public:
  Enrollment(Issuer& issuer, const Registry& registry, const CaKeys& keys, const Clock& clock);

  /// The CSR's signature must have been verified. Throws Error with the refusals of
  /// docs/messages.md, section "enrolment": the names (requested_names.h), the key (contents.h),
  /// forbidden "enroll.outside_scope", "enroll.not_own_names", "own_certificate.*", "reenroll.*",
  /// and what Issuer::issue throws.
  [[nodiscard]] crypto::Certificate enroll(const Snapshot& snapshot, const Alias& alias,
                                           const Identity& identity, Operation operation,
                                           const crypto::Csr& csr);

 private:
  /// Whose certificate it becomes, and under which names.
  struct Grant {
    std::string username;
    RequestedNames names;
  };
  /// Throws unless this identity may have these names.
  [[nodiscard]] Grant authorise(const Alias& alias, const Identity& identity, Operation operation,
                                const crypto::Csr& csr, RequestedNames names) const;

  Issuer& issuer_;
  const Registry& registry_;
  const CaKeys& keys_;
  const Clock& clock_;
};

}  // namespace estia::ca
