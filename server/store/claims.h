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

/// Judges the end entity of an intent before anything of it is recorded. nullopt: go on, with the
/// spelling of the username that is (or will be) its own.
struct EntityVerdict {
  std::optional<ca::Refused> refused{};
  std::string username{};
  bool known = false;
  bool renamed = false;  ///< gets the intent's names once it is issued
};
[[nodiscard]] EntityVerdict judge_end_entity(Transaction& transaction, const ca::Intent& intent);

/// Uses up one use of the intent's enrolment code. False when none is left, or it has expired.
[[nodiscard]] bool use_code(Transaction& transaction, const Bytes& code_id, Instant now);
/// Whether the end entity has a certificate of this CA that is valid, or will be when its hold
/// ends, or one that is being signed.
[[nodiscard]] bool holds_certificate(Transaction& transaction, const std::string& username,
                                     const std::string& ca, Instant now);
/// For an intent that was recorded and did not come to a signature.
void give_back_code(Transaction& transaction, ByteView code_id);

/// False when the serial is in use.
[[nodiscard]] bool insert_intent(Transaction& transaction, const ca::Intent& intent,
                                 const std::string& username, Instant now, ByteView boot_id);

/// Creates the end entity of a new username, and notes with the intent what a known one will be
/// called.
void settle_end_entity(Transaction& transaction, const ca::Intent& intent,
                       const EntityVerdict& verdict, Instant now);

/// Once `serial` is issued: its end entity gets the names that were noted, and that is audited with
/// old and new ones.
void rename_end_entity(Transaction& transaction, ByteView serial, const ca::AuditEvent& audit);

/// After the intent `serial` was closed as failed: an end entity that exists only because of it
/// goes; one that other certificates use is theirs from now on.
void release_end_entity(Transaction& transaction, ByteView serial, const std::string& username);

}  // namespace estia::store
