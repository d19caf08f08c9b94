// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "crypto/x509/certificate.h"

namespace estia::ca {

/// Exactly one per request (design: roles); nothing else gives rights.
enum class Role {
  self,  ///< certificate of this alias's CA without RA rights: its own names only
  ra,    ///< may name others inside the alias's scope
};

/// Who asks, as proven. Only server/auth makes one, after it checked the credential.
class Identity final {
 public:
  /// An HTTP Basic account of the alias.
  [[nodiscard]] static Identity ra_account(std::string alias, std::string user) {
    return Identity(Role::ra, "account " + std::move(alias) + "/" + std::move(user), std::nullopt);
  }
  /// A certificate of the alias's CA with id-kp-cmcRA and id-kp-clientAuth.
  [[nodiscard]] static Identity ra_certificate(crypto::Certificate certificate) {
    std::string who = "certificate " + to_hex(certificate.serial());
    return Identity(Role::ra, std::move(who), std::move(certificate));
  }
  /// A device's certificate of the alias's CA.
  [[nodiscard]] static Identity self(crypto::Certificate certificate, std::string username) {
    std::string who = "certificate " + to_hex(certificate.serial());
    Identity identity(Role::self, std::move(who), std::move(certificate));
    identity.username_ = std::move(username);
    return identity;
  }

  [[nodiscard]] Role role() const noexcept { return role_; }
  [[nodiscard]] const std::string& who() const noexcept { return who_; }  ///< for log and audit
  [[nodiscard]] const std::optional<crypto::Certificate>& certificate() const noexcept {
    return certificate_;
  }
  [[nodiscard]] const std::string& username() const noexcept {
    return username_;
  }  ///< self only: the end entity

 private:
  Identity(Role role, std::string who, std::optional<crypto::Certificate> certificate)
      : role_(role), who_(std::move(who)), certificate_(std::move(certificate)) {}
  Role role_;
  std::string who_;
  std::optional<crypto::Certificate> certificate_;
  std::string username_;
};

}  // namespace estia::ca
