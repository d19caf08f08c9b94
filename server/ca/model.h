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
#include "crypto/x509/extension.h"
#include "server/ca/name_scope.h"

namespace estia::ca {

/// A certification authority: who signs. The key stays in the token; `key_uri` names it (RFC 7512).
struct CertificationAuthority {
  std::string name{};
  std::string key_uri{};
  std::vector<crypto::Certificate>
      chain;  ///< own certificate first, then up to and including the root

  [[nodiscard]] const crypto::Certificate& certificate() const { return chain.front(); }
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
};

enum class Authenticator { client_certificate, basic };
enum class ChannelBindingPolicy { off, verify_if_present, required };

/// One EST service point (EJBCA's word): its CA, profiles and policy. `est` answers the bare path
/// (D12).
struct Alias {
  std::string name{};
  std::string ca{};
  std::string end_entity_profile{};
  std::string certificate_profile{};
  std::vector<Authenticator> authenticators{};  ///< in order: the first valid one gives the role
  NameScope ra_scope{};  ///< binds every RA of this alias: accounts and cmcRA certificates
  ChannelBindingPolicy channel_binding = ChannelBindingPolicy::verify_if_present;  ///< EST-3.5-a
  std::string username_field = "CN";       ///< scheme DN: this subject field names the end entity
  bool allow_same_key = true;              ///< a renewal may keep its key
  std::chrono::seconds retry_window{120};  ///< EST-4.2.3-f; 0 = off
};

/// How a password is stored (D16): never the password. `scheme` is "sha256" for generated secrets
/// of >= 128 random bits.
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
  std::map<std::string, Alias, std::less<>> aliases{};
  std::vector<Account> accounts{};

  // Each throws Error{internal, "snapshot.missing"}: provision checked every reference before the
  // snapshot was published.
  [[nodiscard]] const CertificationAuthority& ca(std::string_view name) const;
  [[nodiscard]] const EndEntityProfile& end_entity_profile(std::string_view name) const;
  [[nodiscard]] const CertificateProfile& certificate_profile(std::string_view name) const;
  [[nodiscard]] const Alias* find_alias(std::string_view name) const noexcept;
};

/// Where the current snapshot is; any thread.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  [[nodiscard]] virtual std::shared_ptr<const Snapshot> current() const = 0;
};

}  // namespace estia::ca
