// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "server/ca/registry.h"
#include "server/store/writer.h"

namespace estia::store {

// What may happen only once, decided by constraints inside the transaction that records an intent
// (D5).

/// The newest live intent with the same retry key, if it answers this request too: an open one
/// whatever its age, an issued one within the window; never a revoked one (EST-4.2.3-f).
[[nodiscard]] std::optional<ca::IntentOutcome> answered_before(Transaction& transaction,
                                                               const ca::Intent& intent,
                                                               Instant now);

/// False when the serial is in use.
[[nodiscard]] bool insert_intent(Transaction& transaction, const ca::Intent& intent, Instant now,
                                 ByteView boot_id);

[[nodiscard]] bool end_entity_exists(Transaction& transaction, const ca::Intent& intent);

/// Creates the end entity unless it is known or the intent has none.
void claim_end_entity(Transaction& transaction, const ca::Intent& intent, Instant now);

/// After the intent `serial` was closed as failed: an end entity that exists only because of it
/// goes; one that other certificates use is theirs from now on.
void release_end_entity(Transaction& transaction, ByteView serial, const std::string& username,
                        const std::string& ca);

}  // namespace estia::store
