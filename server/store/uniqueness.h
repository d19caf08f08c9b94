// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "server/ca/registry.h"
#include "server/store/writer.h"

namespace estia::store {

// Which subjects and keys belong to whom, and which certificate of an end entity counts (D5).

/// Compares an intent with what its CA recorded before, as its rules demand. `username` is the
/// spelling that its end entity is known by (EntityVerdict); an intent without one is nobody's
/// renewal. The refusal is "unique.subject" or "unique.key" (forbidden), "unique.key_used"
/// (malformed); its text does not say who the other one is, its detail does. nullopt: go on.
[[nodiscard]] std::optional<ca::Refused> judge_uniqueness(Transaction& transaction,
                                                          const ca::Intent& intent,
                                                          const std::string& username, Instant now);

/// Once `serial` is issued: if its intent was for the only active certificate, its end entity's
/// older ones of the same CA and profile are revoked as superseded, each audited. Not at the
/// intent: one that fails must not leave a device without a certificate. Nor if `serial` itself was
/// revoked meanwhile.
void supersede_older(Transaction& transaction, ByteView serial, Instant now,
                     const ca::AuditEvent& audit);

}  // namespace estia::store
