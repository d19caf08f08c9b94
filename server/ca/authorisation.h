// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/x509/csr.h"
#include "server/ca/changed_names.h"
#include "server/ca/end_entity.h"
#include "server/ca/identity.h"
#include "server/ca/model.h"
#include "server/ca/registry.h"
#include "server/ca/renewal.h"
#include "server/ca/requested_names.h"

namespace estia::ca {

enum class Operation { simpleenroll, simplereenroll, serverkeygen };
[[nodiscard]] std::string_view to_string(Operation operation) noexcept;

/// That an identity may have a certificate for this end entity with these names. Only Authorisation
/// makes one, after it checked.
class Grant final {
 public:
  [[nodiscard]] const std::string& username() const noexcept { return username_; }
  [[nodiscard]] const RequestedNames& names() const noexcept { return names_; }
  [[nodiscard]] const CertificationAuthority& ca() const noexcept { return *ca_; }
  [[nodiscard]] const CertificateProfile& profile() const noexcept { return *profile_; }
  [[nodiscard]] const std::string& end_entity_profile() const noexcept {
    return end_entity_profile_;
  }
  [[nodiscard]] EntityRule rule() const noexcept { return rule_; }
  [[nodiscard]] const Bytes& code_id() const noexcept { return code_id_; }
  [[nodiscard]] bool first_only() const noexcept { return first_only_; }
  /// Borrows the snapshot, like the rest.
  [[nodiscard]] const NamePredicate& within() const noexcept { return within_; }
  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// Serial of the certificate that is renewed; empty when none is.
  [[nodiscard]] const Bytes& renewed() const noexcept { return renewed_; }

 private:
  friend class Authorisation;
  Grant() = default;
  std::string username_{};
  RequestedNames names_{};
  const CertificationAuthority* ca_ = nullptr;  // of the snapshot that was asked
  const CertificateProfile* profile_ = nullptr;
  std::string end_entity_profile_{};
  EntityRule rule_ = EntityRule::must_exist;
  Bytes code_id_{};
  bool first_only_ = false;
  NamePredicate within_{};
  Kind kind_ = Kind::enrol;
  Bytes renewed_{};
};

/// A request, as far as what it may get depends on it. Borrowed for the time of the call.
struct Request {
  const Snapshot& snapshot;
  const Alias& alias;
  const Identity& identity;
  Operation operation;
  const crypto::Csr& csr;
};

/// May they? One function for every protocol and path (CVE-2020-28942): role, mode, scope, names.
/// Any thread.
class Authorisation final {
 public:
  Authorisation(const EndEntityStore& entities, const Registry& registry, const Clock& clock)
      : entities_(entities), registry_(registry), clock_(clock) {}

  /// The CSR's signature must have been verified. The Grant lives no longer than the snapshot.
  /// Throws what requested_names, naming, changed_names and check_renewal throw; Error{forbidden,
  /// ...}: "enroll.outside_scope", "enroll.not_own_names", "own_certificate.not_valid",
  /// "own_certificate.other_profile", "reenroll.no_certificate", "reenroll.names_differ",
  /// "reenroll.nothing_to_renew", "change_subject.not_allowed", "change_subject.taken",
  /// "entity.unknown", "entity.other_ca", "entity.other_profile", "entity.other_scope",
  /// "entity.profile_gone", "override.subject", "override.san",
  /// "vendor.names_differ".
  [[nodiscard]] Grant authorise(const Request& request) const;

 private:
  [[nodiscard]] Grant for_role(const Request& request) const;
  [[nodiscard]] static Grant of_alias(const Request& request);
  [[nodiscard]] Grant as_ra(const Request& request) const;
  [[nodiscard]] Grant as_self(const Request& request) const;
  [[nodiscard]] Grant as_code(const Request& request) const;
  [[nodiscard]] Grant of_registered(const Request& request, const EndEntity& entity,
                                    const crypto::Name& wish) const;
  [[nodiscard]] Grant as_vendor(const Request& request) const;
  [[nodiscard]] Grant vendor_of_registered(const Request& request,
                                           const std::string& username) const;
  [[nodiscard]] Grant vendor_renamed(const Request& request, const EndEntity& entity,
                                     const RequestedWish& wish) const;
  [[nodiscard]] Grant vendor_of_new(const Request& request) const;
  /// Throws Error{forbidden, "change_subject.taken"} where this subject would be the username of
  /// another end entity than this one.
  void check_not_taken(const Alias& alias, const crypto::Name& subject,
                       const std::string& username) const;
  [[nodiscard]] Grant on_behalf(const Request& request) const;
  void renew(const Request& request, const crypto::Certificate& renewed, Grant& grant) const;
  [[nodiscard]] RequestedNames renamed(const Request& request, const crypto::Certificate& renewed,
                                       const RequestedWish& wish, const Grant& grant) const;

  const EndEntityStore& entities_;
  const Registry& registry_;
  const Clock& clock_;
};

}  // namespace estia::ca
