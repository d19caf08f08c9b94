// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/x509/extension.h"
#include "server/ca/model.h"

namespace estia::ca {

/// What a request may decide by itself, as far as the certificate profile's override switches let
/// it.
struct GrantedWishes {
  std::optional<crypto::KeyUsageNames> key_usage{};
  std::optional<Instant> not_before{};  ///< of privateKeyUsagePeriod; the issuer only ever shortens
  std::optional<Instant> not_after{};
  std::vector<crypto::Extension> extensions{};  ///< to be taken over as they are
};

/// `requested` is what stands in the CSR. Throws Error{malformed, "override.malformed"} for a value
/// that is granted and does not parse, Error{forbidden, "override.power"} for rights that no
/// request may ask for, whatever the profile says (EST-3.7-e): keyCertSign, cRLSign, and the
/// purposes cmcRA, cmcCA, OCSPSigning and anyExtendedKeyUsage.
[[nodiscard]] GrantedWishes granted_wishes(const CertificateProfile& profile,
                                           const std::vector<crypto::Extension>& requested);

/// For a profile with strict_override: throws Error{forbidden, "override.refused"} naming the
/// extension when the request asks for one that `built` does not contain with the same value.
void refuse_other_wishes(const CertificateProfile& profile,
                         const std::vector<crypto::Extension>& requested,
                         const std::vector<crypto::Extension>& built);

/// Extensions that the CA makes itself: no profile may list them for taking over.
[[nodiscard]] bool is_made_by_ca(std::string_view oid) noexcept;

}  // namespace estia::ca
