// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/base/error.h"
#include "crypto/x509/general_names.h"
#include "crypto/x509/name.h"
#include "server/ca/audit.h"

namespace estia::ca {

/// What must hold for the end entity of an intent.
enum class EntityRule {
  none,        ///< there is none (the CA's own certificates)
  create,      ///< created when unknown; one that a registration authority made gets the new names
  must_exist,  ///< known already; its stored names stay
  follow,      ///< known already; one that a registration authority made gets the new names
};

using NamePredicate =
    std::function<bool(const crypto::Name& subject, const crypto::GeneralNames& san)>;

/// The end entity's part of an intent, decided in the same transaction. An end entity that exists
/// must be of the intent's CA and of its profiles, and not disabled.
struct EntityClaim {
  EntityRule rule = EntityRule::none;
  std::string end_entity_profile{};
  Bytes subject{};  ///< DER, as granted
  Bytes san{};      ///< DER of the GeneralNames; empty = none
  Bytes code_id{};  ///< the enrolment code of which this is one use; empty = none
  /// Only while the end entity holds no certificate that is valid, or on hold.
  bool first_only = false;
  /// Where somebody asks for another: whether they may name an end entity that has these names; a
  /// username alone must not open somebody else's. Called in the transaction: quick, no I/O.
  NamePredicate within{};
};

/// What an intent's CA and profile want to be unique, decided in the same transaction. Whatever the
/// CA ever recorded counts, unless it was closed as failed.
struct UniquenessRules {
  bool subject = true;  ///< nobody but this end entity ever had the subject, or was registered
                        ///< under it; an empty one is free
  bool key = true;      ///< nobody but this end entity ever had the key
  bool fresh_key = false;      ///< not even this end entity had the key
  bool single_active = false;  ///< once issued it supersedes the end entity's older certificates
};

/// One certificate we mean to sign, recorded before any signature exists (D5).
struct Intent {
  Bytes serial{};           ///< 20 octets, unique over the whole store by constraint
  std::string ca{};         ///< name of the issuing CA
  Bytes tbs{};              ///< the exact bytes to be signed
  std::string alias{};      ///< empty for certificates made by `estia init`
  std::string operation{};  ///< "simpleenroll", "simplereenroll", "init"
  std::string profile{};    ///< certificate profile
  std::uint64_t config_version = 0;
  std::string who{};  ///< authenticated identity, as in the audit trail
  Bytes presented{};  ///< serial of the certificate of ours that proves it; empty = none did
  Bytes renewed{};    ///< serial of the one that is renewed, where it is another; else empty
  std::string audit_detail{};  ///< key=value pairs for the audit trail; not kept otherwise
  std::string username{};      ///< end entity; the one that is known by it keeps its own spelling
  Bytes subject{};             ///< canonical subject (crypto::Name::canonical)
  std::string subject_text{};
  EntityClaim entity{};
  Bytes key_fingerprint{};  ///< SHA-256 of the SPKI
  UniquenessRules uniqueness{};
  Instant not_before{};
  Instant not_after{};
  Bytes retry_key{};  ///< SHA-256 over everything EST-4.2.3-f compares; empty = never matched
  std::chrono::seconds retry_window{0};
};

/// The intent is on disk: sign its TBS.
struct Recorded {};
/// This request was answered already, within the retry window: give this certificate again.
struct AlreadyIssued {
  Bytes serial{};
  Bytes certificate{};
};
/// A matching intent has no result yet (a crash, a hung call, or another request that is signing it
/// right now): whoever may go on signs *these* bytes.
struct Resume {
  Bytes serial{};
  Bytes tbs{};
};
/// A claim was lost: serial, end entity, subject, key, code. The batch goes on without it.
struct Refused {
  std::string id{};      ///< "serial.taken", "entity.other_ca", "code.spent", ...
  std::string reason{};  ///< may be told to the peer
  ErrorCode code = ErrorCode::conflict;
  std::string detail{};  ///< for the log
};
using IntentOutcome = std::variant<Recorded, AlreadyIssued, Resume, Refused>;

enum class CertificateState { intended, issued, failed };

/// The one reason that has a way back.
inline constexpr int kCertificateHold = 6;
/// A newer certificate took its place.
inline constexpr int kSuperseded = 4;

struct Revocation {
  Instant at{};
  int reason = 0;  ///< RFC 5280 5.3.1
};

/// What the store knows about one serial.
struct CertificateRecord {
  Bytes serial{};
  std::string ca{};
  std::string alias{};
  std::string username{};
  std::string profile{};
  CertificateState state = CertificateState::intended;
  Bytes tbs{};
  Bytes certificate{};  ///< empty unless issued
  Instant recorded_at{};
  std::optional<Revocation> revocation{};
};

/// Which certificates Registry::in_force looks for.
struct InForce {
  std::string username{};  ///< as the end entity spells it
  std::string ca{};
  std::string profile{};  ///< certificate profile
  Bytes subject{};        ///< canonical
  Instant at{};
  /// Those that a newer one superseded since then come along, behind the others.
  Instant superseded_after{};
};

/// Everything the CA must not forget. When a call returns, its effect survives a power cut. Calls
/// may come from any thread. What may happen only once is decided inside the transaction that
/// records the intent. Every call throws Error{store, ...} when the database fails.
class Registry {
 public:
  virtual ~Registry() = default;

  /// Before any signature exists. A lost claim is an outcome, not an error.
  [[nodiscard]] virtual IntentOutcome intend(const Intent& intent, const AuditEvent& audit) = 0;

  /// What intend() would answer now; nothing is recorded.
  [[nodiscard]] virtual IntentOutcome rehearse(const Intent& intent) = 0;

  /// The signature exists and was verified. Returns the certificate that stands recorded: the given
  /// one, or the one that another request recorded first for the same serial (two signatures over
  /// one TBS: only one is ever released). Where the intent said single_active, what is older is
  /// superseded with it. Throws Error{internal, "registry.unknown_serial"} if
  /// there is no such intent, Error{conflict, "registry.intent_closed"} if it was closed as failed.
  [[nodiscard]] virtual Bytes commit(const Bytes& serial, const Bytes& certificate,
                                     const AuditEvent& audit) = 0;

  /// Closes an intent that certainly has no signature (the job never reached C_Sign, or C_Sign
  /// returned an error); claims are given back. No effect on one that has a result.
  virtual void fail(const Bytes& serial, const AuditEvent& audit) = 0;

  [[nodiscard]] virtual std::optional<CertificateRecord> find(const Bytes& serial) const = 0;

  /// Certificates that are issued, not revoked, not on hold and valid at that time, the one that
  /// lasts longest first; then those superseded lately. At most 100.
  [[nodiscard]] virtual std::vector<CertificateRecord> in_force(const InForce& wanted) const = 0;
  /// At most `limit` of this end entity's certificates that may exist, the newest first.
  [[nodiscard]] virtual std::vector<CertificateRecord> of_end_entity(std::string_view username,
                                                                     std::size_t limit) const = 0;

  /// Intents without result, older than this process: they count as issued.
  [[nodiscard]] virtual std::vector<CertificateRecord> open_intents() const = 0;

  /// Marks as revoked; an intent without result may be revoked too. One that is held may be revoked
  /// for good. Throws Error{not_found, "registry.unknown_serial"}, Error{conflict,
  /// "registry.already_revoked" | "registry.already_held"}.
  virtual void revoke(const Bytes& serial, const Revocation& revocation,
                      const AuditEvent& audit) = 0;

  /// Ends a hold: the certificate is as good as before. Throws Error{not_found,
  /// "registry.unknown_serial"}, Error{conflict, "registry.not_held"}.
  virtual void release(const Bytes& serial, const AuditEvent& audit) = 0;
};

}  // namespace estia::ca
