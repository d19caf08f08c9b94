// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/base/clock.h"

namespace estia::ca {

/// What the audit trail says happened. The store adds node, sequence number and the hash chain.
/// Holds no secret, ever.
struct AuditEvent {
  Instant at{};
  std::string who{};  ///< "account est/ra", "operator uid 0", "certificate 4F.."
  std::string
      what;  ///< stable id: "certificate.intent", "certificate.issued",
             ///< "certificate.failed", "certificate.revoked", "certificate.held",
             ///< "certificate.released", "request.refused", "config.replaced", "entity.added",
             ///< "entity.changed", "entity.disabled", "entity.enabled", "code.set",
             ///< "code.removed", "anchor.crl", "ca.created", "daemon.started", "daemon.stopped"
  std::string outcome{};  ///< "ok" or the id of the refusal; "begun" of an order to a token
  std::string object{};   ///< serial in hex, alias, configuration version...
  std::string detail{};   ///< further key=value pairs
};

/// Appends events that belong to no other transaction. Durable when the call returns; any thread.
/// Throws Error{store, ...}.
class AuditLog {
 public:
  virtual ~AuditLog() = default;
  virtual void append(const AuditEvent& event) = 0;
  /// All of them or none, in their order.
  virtual void append(const std::vector<AuditEvent>& events) = 0;
};

}  // namespace estia::ca
