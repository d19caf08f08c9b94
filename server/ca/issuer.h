// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/x509/certificate_builder.h"
#include "crypto/x509/extension.h"
#include "crypto/x509/general_names.h"
#include "crypto/x509/name.h"
#include "server/ca/ca_keys.h"
#include "server/ca/model.h"
#include "server/ca/registry.h"

namespace estia::ca {

/// One certificate to be made; every value was decided by policy before it comes here.
struct IssuanceRequest {
  std::string ca{};               ///< name in the store
  crypto::Name issuer{};          ///< byte-equal to the CA certificate's subject (X509-4.1.2.4)
  Bytes issuer_key_identifier{};  ///< the CA certificate's SKI; empty only when self-signed
  std::optional<Instant> issuer_not_before{};  ///< notBefore never earlier than this
  std::optional<Instant> issuer_not_after{};   ///< notAfter never later than this (X509-4.1.2.5-c)
  crypto::PublicKey issuer_key;                ///< what the signature is verified with
  const CertificateProfile* profile = nullptr;
  crypto::Name subject{};
  crypto::GeneralNames san{};
  crypto::PublicKey subject_key;
  std::vector<crypto::Extension> wishes{};  ///< as they stand in the request; the profile decides
  // Book-keeping
  std::string alias{};
  std::string operation{};
  std::uint64_t config_version = 0;
  std::string who{};
  Bytes presented{};  ///< serial of the certificate of ours that proves who asks; empty = none did
  Bytes renewed{};    ///< serial of the one that is renewed, where it is another; else empty
  std::string audit_detail{};
  std::string username{};
  std::string end_entity_profile{};
  EntityRule entity_rule = EntityRule::none;
  Bytes code_id{};  ///< the enrolment code that this uses up; empty = none
  bool first_only = false;
  NamePredicate within{};
  UniquenessRules uniqueness{};
  Bytes retry_key{};
  std::chrono::seconds retry_window{0};
};

/// The exact bytes to be signed with all that must be recorded first. Only Issuer makes one; it can
/// be issued once.
class PreparedCertificate final {
 public:
  PreparedCertificate(PreparedCertificate&&) = default;
  PreparedCertificate& operator=(PreparedCertificate&&) = default;
  PreparedCertificate(const PreparedCertificate&) = delete;
  PreparedCertificate& operator=(const PreparedCertificate&) = delete;
  [[nodiscard]] const Bytes& tbs() const noexcept { return intent_.tbs; }
  [[nodiscard]] const Bytes& serial() const noexcept { return intent_.serial; }

 private:
  friend class Issuer;
  PreparedCertificate(Intent intent, crypto::PublicKey issuer_key)
      : intent_(std::move(intent)), issuer_key_(std::move(issuer_key)) {}
  Intent intent_;
  crypto::PublicKey issuer_key_;
};

/// prepare -> record intent -> sign -> verify -> record -> answer (D3, D5; docs/issuance.md numbers
/// the steps). Any thread.
class Issuer final {
 public:
  Issuer(Registry& registry, const Clock& clock);

  /// Where it records.
  [[nodiscard]] const Registry& registry() const noexcept { return registry_; }

  /// Applies the profile and lints the TBS. Uses no CA key and records nothing; may be called
  /// freely. Throws what contents_for throws; Error{internal, "issuer.lint"} with the findings.
  [[nodiscard]] PreparedCertificate prepare(const IssuanceRequest& request) const;

  /// What issue() would begin with; signs nothing and records nothing. Throws what issue() throws
  /// for a lost claim: the outcome is never Refused.
  [[nodiscard]] IntentOutcome rehearse(const PreparedCertificate& prepared) const;

  /// Signs those bytes and nothing else, verifies the result against the CA's public key, and
  /// returns what is recorded. Throws an Error with the id of a lost claim (Refused), Error{token,
  /// ...} when the token failed (the intent is closed as failed), Error{token,
  /// "issuer.bad_signature"} when the signature does not verify (nothing is released; the intent
  /// stays: a signature may exist).
  [[nodiscard]] crypto::IssuedCertificate issue(PreparedCertificate prepared,
                                                const crypto::PrivateKey& ca_key);

 private:
  enum class Origin { fresh, resumed };
  class InFlight;

  [[nodiscard]] std::optional<crypto::IssuedCertificate> resume_open(
      const Resume& open, const PreparedCertificate& prepared, const crypto::PrivateKey& ca_key);
  [[nodiscard]] crypto::IssuedCertificate sign_and_commit(const Bytes& serial, const Bytes& tbs,
                                                          const PreparedCertificate& prepared,
                                                          const crypto::PrivateKey& ca_key,
                                                          Origin origin);
  [[nodiscard]] AuditEvent event(const char* what, const std::string& outcome, const Bytes& serial,
                                 const Intent& intent) const;

  Registry& registry_;
  const Clock& clock_;
  std::mutex mutex_;                 // guards in_flight_
  std::condition_variable changed_;  // in_flight_ lost an element
  /// Serials that this process is signing right now, and since when.
  std::map<Bytes, std::chrono::steady_clock::time_point> in_flight_;
};

/// 20 octets, positive, top bit clear, never starting with a zero octet: 152+ random bits
/// (X509-4.1.2.2-b: at least 120).
[[nodiscard]] Bytes random_serial();

}  // namespace estia::ca
