// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/x509/certificate.h"
#include "server/ca/end_entity.h"
#include "server/ca/registry.h"

namespace estia::ca {

/// Exactly one per request; nothing else gives rights.
enum class Role {
  self,    ///< certificate of this alias's CA without RA rights: its own end entity only
  ra,      ///< may name others inside the alias's scope
  code,    ///< enrolment code: that one registered end entity
  vendor,  ///< a manufacturer's certificate: the end entity of its subject, the first time
};

[[nodiscard]] inline std::string_view to_string(Role role) noexcept {
  switch (role) {
    case Role::self:
      return "self";
    case Role::ra:
      return "ra";
    case Role::code:
      return "code";
    case Role::vendor:
      return "vendor";
  }
  return "unknown";
}

/// That a credential was checked. Only a CredentialCheck can make one.
class Proof final {
 private:
  friend class CredentialCheck;
  Proof() = default;
};

/// Who checks credentials derives from this, and so may say that one was good. A test of the layout
/// holds that nobody outside server/auth does.
class CredentialCheck {
 protected:
  CredentialCheck() = default;
  ~CredentialCheck() = default;
  [[nodiscard]] static Proof proof() noexcept { return {}; }
};

/// The right to name others, inside the scope of the alias that it was given on. Exists only inside
/// the Identity of a registration authority.
class NamingRight final {
 private:
  friend class Identity;
  NamingRight() = default;
};

/// Who asks, as proven: making one takes a Proof.
class Identity final {
 public:
  /// An HTTP Basic account of the alias.
  [[nodiscard]] static Identity ra_account(Proof /*proof*/, std::string alias, std::string user) {
    Identity identity(Role::ra, "account " + std::move(alias) + "/" + std::move(user));
    identity.naming_ = NamingRight();
    return identity;
  }
  /// A certificate of the alias's CA with id-kp-cmcRA and id-kp-clientAuth, or listed by the alias.
  [[nodiscard]] static Identity ra_certificate(Proof proof, crypto::Certificate certificate,
                                               CertificateRecord record) {
    Identity identity = self(proof, std::move(certificate), std::move(record));
    identity.role_ = Role::ra;
    identity.naming_ = NamingRight();
    return identity;
  }
  /// A certificate of a foreign CA that the alias trusts and lists. It has no record here, and
  /// nothing to renew.
  [[nodiscard]] static Identity foreign_ra(Proof /*proof*/, crypto::Certificate certificate) {
    Identity identity(Role::ra, foreign("certificate ", certificate));
    identity.certificate_ = std::move(certificate);
    identity.naming_ = NamingRight();
    return identity;
  }
  /// A device's certificate from its manufacturer.
  [[nodiscard]] static Identity vendor(Proof /*proof*/, crypto::Certificate certificate) {
    Identity identity(Role::vendor, foreign("vendor certificate ", certificate));
    identity.certificate_ = std::move(certificate);
    return identity;
  }
  /// A device's certificate, and what the store knows about it.
  [[nodiscard]] static Identity self(Proof /*proof*/, crypto::Certificate certificate,
                                     CertificateRecord record) {
    Identity identity(Role::self, "certificate " + to_hex(certificate.serial()));
    identity.certificate_ = std::move(certificate);
    identity.record_ = std::move(record);
    return identity;
  }
  /// A registered end entity that knows its enrolment code, which is to be used up.
  [[nodiscard]] static Identity code(Proof /*proof*/, EndEntity entity,
                                     const EnrollmentCode& used) {
    Identity identity(Role::code, "code of " + entity.username);
    identity.entity_ = std::move(entity);
    identity.code_id_ = used.id;
    identity.code_is_spent_ = used.uses_left == 0;
    return identity;
  }

  [[nodiscard]] Role role() const noexcept { return role_; }
  [[nodiscard]] const std::string& who() const noexcept { return who_; }  ///< for log and audit
  /// self, vendor, and ra where a certificate gave the role.
  [[nodiscard]] const std::optional<crypto::Certificate>& certificate() const noexcept {
    return certificate_;
  }
  /// What the store knows about that certificate; absent for one of a foreign CA.
  [[nodiscard]] const std::optional<CertificateRecord>& record() const noexcept { return record_; }
  /// code only.
  [[nodiscard]] const std::optional<EndEntity>& entity() const noexcept { return entity_; }
  [[nodiscard]] const Bytes& code_id() const noexcept { return code_id_; }
  /// code only: it can do nothing more than repeat the request that it was spent on. Whatever else
  /// is wrong with another request must not be told.
  [[nodiscard]] bool code_is_spent() const noexcept { return code_is_spent_; }
  /// ra only.
  [[nodiscard]] const std::optional<NamingRight>& naming_right() const noexcept { return naming_; }

 private:
  Identity(Role role, std::string who) : role_(role), who_(std::move(who)) {}
  /// Serial numbers are unique for one issuer only.
  [[nodiscard]] static std::string foreign(const char* kind,
                                           const crypto::Certificate& certificate) {
    return kind + to_hex(certificate.serial()) + " of " + certificate.issuer().text();
  }
  Role role_;
  std::string who_;
  std::optional<crypto::Certificate> certificate_;
  std::optional<CertificateRecord> record_;
  std::optional<EndEntity> entity_;
  Bytes code_id_;
  bool code_is_spent_ = false;
  std::optional<NamingRight> naming_;
};

}  // namespace estia::ca
