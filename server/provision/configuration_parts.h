// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/ca/model.h"
#include "server/provision/configuration_document.h"
#include "server/provision/configuration_section.h"

namespace estia::provision {

// One table each, judged by itself; references to others are checked by configuration_checks.h.
// All throw Error{config, ...} through the section.
[[nodiscard]] ca::CertificationAuthority read_ca(const ConfigurationSection& section);
[[nodiscard]] ca::EndEntityProfile read_end_entity_profile(const ConfigurationSection& section);
[[nodiscard]] ca::CertificateProfile read_certificate_profile(const ConfigurationSection& section);
[[nodiscard]] ca::TrustAnchor read_trust_anchor(const ConfigurationSection& section);
[[nodiscard]] ca::Alias read_alias(const ConfigurationSection& section);
/// The part of an alias about renewals and new names; needs its mode, scope and naming.
void read_renewal(const ConfigurationSection& section, ca::Alias& alias);
/// The part about serverkeygen.
void read_serverkeygen(const ConfigurationSection& section, ca::Alias& alias);
[[nodiscard]] AccountEntry read_account(const ConfigurationSection& section);
/// Of an alias whose authenticators and scope are read: which certificates of which foreign CAs
/// mean something there.
void read_anchors(const ConfigurationSection& section, ca::Alias& alias);

// As written in an alias or an anchor.
[[nodiscard]] std::string_view to_string(ca::RevocationPolicy policy) noexcept;
[[nodiscard]] std::string to_string(const ca::ListedCertificate& listed);
[[nodiscard]] std::string_view to_string(ca::AliasMode mode) noexcept;
[[nodiscard]] std::string_view to_string(ca::Authenticator authenticator) noexcept;
[[nodiscard]] std::string_view to_string(ca::ChannelBindingPolicy policy) noexcept;
[[nodiscard]] std::string_view to_string(ca::NameScheme scheme) noexcept;
[[nodiscard]] std::string_view to_string(ca::CodeSource source) noexcept;
[[nodiscard]] std::string_view to_string(ca::KeyPackage package) noexcept;

}  // namespace estia::provision
