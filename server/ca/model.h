// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/x509/certificate.h"
#include "crypto/x509/crl.h"
#include "crypto/x509/extension.h"
#include "server/ca/name_scope.h"

namespace estia::ca {

/// A certification authority: who signs. The key stays in the token; `key_uri` names it (RFC 7512).
struct CertificationAuthority {
  std::string name{};
  std::string key_uri{};
  std::vector<crypto::Certificate>
      chain;  ///< own certificate first, then up to and including the root
  // EJBCA's "Enforce Unique DN", "Enforce Unique Public Keys" and "Enforce Key Renewal".
  bool unique_subject = true;        ///< a subject belongs to the end entity that had it first
  bool unique_key = true;            ///< likewise a key
  bool enforce_key_renewal = false;  ///< an end entity never uses a key twice

  [[nodiscard]] const crypto::Certificate& certificate() const { return chain.front(); }
};

/// How it is known that a foreign CA took a certificate back. There is no default: whoever trusts a
/// CA has to say.
enum class RevocationPolicy {
  none,            ///< never asked: only removing the anchor helps
  crl_if_present,  ///< what a CRL of it says counts, also a late one
  crl_required,    ///< no CRL that is valid now: nobody gets in
};

/// A CA that is not ours and whose certificates prove something here: a device's manufacturer, or
/// whoever names a registration authority. May be an intermediate: then only chains through it
/// count.
struct TrustAnchor {
  std::string name{};
  crypto::Certificate certificate;
  RevocationPolicy revocation = RevocationPolicy::crl_required;
  std::vector<crypto::Crl> crls{};  ///< its own and those of CAs below it; not in the document
};

/// One certificate, told by its SHA-256 or by issuer and serial number.
struct ListedCertificate {
  Bytes sha256{};  ///< empty where issuer and serial tell
  crypto::Name issuer{};
  Bytes serial{};

  [[nodiscard]] bool is(const crypto::Certificate& certificate) const;
};

/// Whose names may be asked for: per field, default deny (a field without a rule is refused).
struct EndEntityProfile {
  struct SubjectRule {
    std::string attribute{};  ///< "CN", "O", "serialNumber"...
    bool required = false;
    std::optional<std::string> fixed{};  ///< this value, whatever the request says
  };
  std::string name;
  std::vector<SubjectRule> subject;            ///< attributes not listed are refused
  std::vector<crypto::GeneralName::Kind> san;  ///< kinds allowed
  std::size_t max_san = 20;
};

/// What a certificate of this kind contains: the profile decides every field, the request only
/// asks.
struct CertificateProfile {
  std::string name{};
  std::chrono::seconds validity{0};
  std::chrono::seconds backdate{
      0};  ///< notBefore lies this much before now: clocks of devices are wrong
  std::vector<std::string> key_types{};  ///< names of crypto::KeySpec; others are refused
  crypto::KeyUsageNames
      key_usage{};  ///< bits the key type cannot have are left out (X509-4.2.1.3-a)
  std::vector<std::string> extended_key_usage{};  ///< OIDs
  bool ca = false;
  int path_length = -1;
  std::vector<std::string> crl_distribution_points{};
  std::vector<std::string> ca_issuers{};
  std::vector<std::string> ocsp{};

  // What a request may decide instead of the registration or this profile (EJBCA's "override").
  // Off: it is ignored.
  bool override_subject =
      false;                  ///< client mode only; in RA mode names always come from the request
  bool override_san = false;  ///< likewise
  bool override_key_usage = false;
  bool override_validity = false;                  ///< by privateKeyUsagePeriod; only ever shortens
  std::vector<std::string> override_extensions{};  ///< OIDs taken over as they are asked for
  bool strict_override = false;  ///< refuse a request that asks for what it may not decide
  /// A new certificate of an end entity supersedes its older ones of this profile.
  bool single_active = false;

  /// Throws Error{malformed, "key.not_in_profile"} for a key of another kind than `key_types`.
  void check_kind(const crypto::PublicKey& key) const;
  [[nodiscard]] bool allows_kind(const crypto::PublicKey& key) const noexcept;
};

/// The longest `expired_grace` that an alias may give.
inline constexpr std::chrono::seconds kLongestExpiredGrace{30 * 86400};

/// How a client proves who it is. Of an alias's list, the first that is valid gives the role.
enum class Authenticator {
  client_certificate,
  basic,                  ///< an account of the alias: a registration authority
  certificate_and_basic,  ///< both, and the narrower rights count
  code,                   ///< client mode: the enrolment code of a registered end entity
  vendor_certificate,     ///< of a manufacturer in `vendor_anchors`: the device's own end entity
};
enum class ChannelBindingPolicy { off, verify_if_present, required };

/// Who knows the end entity beforehand: nobody, a registration authority names it (RA mode), or its
/// registration (client mode). EJBCA's operationmode.
enum class AliasMode { ra, client };

/// How the username of an end entity is made in RA mode. EJBCA's ra.namegenerationscheme.
enum class NameScheme {
  dn,        ///< the first present of a list of subject fields
  random,    ///< 12 random characters
  fixed,     ///< a given text
  username,  ///< the whole subject
};

/// Where an enrolment code stands in client mode. EJBCA's authenticationmodule.
enum class CodeSource {
  challenge_password,  ///< the CSR's challengePassword, which then is no channel binding (departs
                       ///< from RFC 7030 3.5)
  dn_part,  ///< a field of the CSR's subject, which is removed before anything else looks
  basic,    ///< HTTP Basic: username and code
};

/// How the private key of serverkeygen goes to its client (RFC 7030 4.4.2).
enum class KeyPackage {
  pkcs8,  ///< as it is, under TLS alone (EST-4.4.2-b)
  cms,    ///< encrypted for the client that asks for it (EST-4.4.2-c); without pkcs8: for every one
  pkcs12,       ///< with its certificate under a registered password, for who accepts it (RFC 8295)
  hsm_wrapped,  ///< as cms, but encrypted inside the token, so without SignedData (departs from
                ///< EST-4.4.2-c); in place of cms
};

/// A subject field that stands for the whole subject, as EJBCA's "DN".
inline constexpr std::string_view kWholeSubject = "DN";

/// One EST service point (EJBCA's word): its CA, profiles and policy. `est` answers the bare path
/// (D12).
struct Alias {
  std::string name{};
  std::string ca{};
  AliasMode mode = AliasMode::ra;
  std::vector<std::string>
      further_cas{};  ///< client mode: besides `ca`, those whose end entities may enrol here
  std::string end_entity_profile{};  ///< client mode: if not empty, the one an end entity must have
  std::string certificate_profile{};            ///< likewise
  std::vector<Authenticator> authenticators{};  ///< in order: the first valid one gives the role
  NameScope ra_scope{};  ///< binds every RA of this alias: accounts and cmcRA certificates
  /// Certificates of its CA, or of one below `trust_anchors`, that are RAs without cmcRA.
  std::vector<ListedCertificate> ra_certificates{};
  /// Explicit anchors: foreign CAs whose certificates `ra_certificates` may list. They give nobody
  /// else anything.
  std::vector<std::string> trust_anchors{};
  /// Implicit ones: manufacturers whose devices may enrol for the first time by their certificates.
  std::vector<std::string> vendor_anchors{};
  bool vendor_in_ra_mode = false;  ///< a manufacturer's certificate creates the end entity
  ChannelBindingPolicy channel_binding = ChannelBindingPolicy::verify_if_present;  ///< EST-3.5-a
  CodeSource code_source = CodeSource::challenge_password;
  std::string code_field{};  ///< CodeSource::dn_part: the subject field that holds the code
  std::string username_field{
      kWholeSubject};  ///< client mode: the subject field that is the username
  NameScheme name_scheme = NameScheme::dn;
  std::vector<std::string> name_parameters{
      "CN"};                   ///< dn: fields, the first present wins; fixed: the one text
  std::string name_prefix{};   ///< may hold ${RANDOM}: 10 random characters
  std::string name_postfix{};  ///< likewise
  bool allow_same_key = true;  ///< a renewal may keep its key
  std::chrono::seconds retry_window{120};  ///< EST-4.2.3-f; 0 = off
  bool allow_change_subject_name =
      false;  ///< CSN-7.1-d: at the first enrolment of a vendor's device
  bool allow_change_subject_name_at_renewal = false;     ///< likewise by simplereenroll
  std::optional<std::chrono::seconds> renewal_window{};  ///< renewed when at most this is left of
                                                         ///< the certificate; absent = any time
  std::chrono::seconds expired_grace{
      0};  ///< simplereenroll: an expired certificate counts as valid for so long
  bool allow_renewal_on_behalf = false;  ///< RA mode: certificates of RAs may renew those of others
  /// How key pairs that are made here for clients may leave (EJBCA's "Server Key Generation
  /// Enabled"). Empty: serverkeygen is off (EST-4.4-a). Which kinds of key is the profile's to say.
  std::vector<KeyPackage> serverkeygen{};
  /// Where the profile does not allow the kind of key that the CSR has: the profile's first one
  /// instead of a refusal (EST-4.4.1-b).
  bool serverkeygen_other_key = false;

  [[nodiscard]] bool accepts(Authenticator authenticator) const noexcept;
  [[nodiscard]] bool gives(KeyPackage package) const noexcept;
  [[nodiscard]] bool makes_keys() const noexcept { return !serverkeygen.empty(); }
  /// Whether HTTP Basic accounts count here, alone or beside a certificate.
  [[nodiscard]] bool takes_accounts() const noexcept;
  /// Whether end entities and certificates of this CA are served here.
  [[nodiscard]] bool serves(std::string_view ca_name) const noexcept;
};

/// How a password is stored (D16): never the password. `scheme` is "sha256" for generated secrets
/// of >= 128 random bits, "scrypt" for those a person chose.
struct PasswordHash {
  std::string scheme{};
  Bytes salt{};
  Bytes digest{};
};

/// An HTTP Basic account of an alias: whoever holds it is a registration authority within the
/// alias's scope.
struct Account {
  std::string alias{};
  std::string user{};
  PasswordHash password{};
};

/// The run-time configuration as one immutable value (D7): replaced whole, shared by pointer, read
/// without a lock.
struct Snapshot {
  std::uint64_t version = 0;
  std::map<std::string, CertificationAuthority, std::less<>> cas{};
  std::map<std::string, EndEntityProfile, std::less<>> end_entity_profiles{};
  std::map<std::string, CertificateProfile, std::less<>> certificate_profiles{};
  std::map<std::string, TrustAnchor, std::less<>> trust_anchors{};
  std::map<std::string, Alias, std::less<>> aliases{};
  std::vector<Account> accounts{};

  // Each throws Error{internal, "snapshot.missing"}: provision checked every reference before the
  // snapshot was published.
  [[nodiscard]] const CertificationAuthority& ca(std::string_view name) const;
  [[nodiscard]] const EndEntityProfile& end_entity_profile(std::string_view name) const;
  [[nodiscard]] const CertificateProfile& certificate_profile(std::string_view name) const;
  [[nodiscard]] const TrustAnchor& trust_anchor(std::string_view name) const;
  /// Those that an alias serves: the others (the root, as a rule) sign nothing here.
  [[nodiscard]] std::vector<const CertificationAuthority*> served_cas() const;
  [[nodiscard]] const Alias* find_alias(std::string_view name) const noexcept;
};

/// Where the current snapshot is; any thread.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  [[nodiscard]] virtual std::shared_ptr<const Snapshot> current() const = 0;
};

}  // namespace estia::ca
