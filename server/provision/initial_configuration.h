// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/provision/configuration_document.h"

namespace estia::provision {

// Names of what `estia init` makes.
inline constexpr std::string_view kRootProfile = "root-ca";
inline constexpr std::string_view kIssuingProfile = "issuing-ca";
inline constexpr std::string_view kTlsServerProfile = "estia-tls-server";
inline constexpr std::string_view kDeviceProfile = "device";
inline constexpr std::string_view kRootCa = "root";
inline constexpr std::string_view kIssuingCa = "issuing";
inline constexpr std::string_view kFirstAccount = "ra";

/// The profiles a fresh CA starts with: root-ca, issuing-ca, estia-tls-server and device.
[[nodiscard]] std::vector<ca::CertificateProfile> initial_certificate_profiles();

/// Those profiles, the end-entity profile `device`, and the alias `est`: HTTP Basic alone, one
/// account, whose requests stay inside `ra_scope`.
[[nodiscard]] ParsedConfiguration initial_configuration(const ca::CertificationAuthority& root,
                                                        const ca::CertificationAuthority& issuing,
                                                        const ca::NameScope& ra_scope);

}  // namespace estia::provision
