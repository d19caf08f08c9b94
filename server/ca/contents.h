// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/clock.h"
#include "crypto/x509/certificate_builder.h"
#include "server/ca/issuer.h"

namespace estia::ca {

/// Every field of the certificate as its profile decides it: validity, key usage, extensions.
/// Checks that the key is strong and of a kind the profile allows. Throws Error{malformed,
/// "key.weak" / "key.unsupported" / "key.not_in_profile" / "key.is_ca_key"}, Error{busy,
/// "issuer.ca_expired"}, what granted_wishes and refuse_other_wishes throw, and Error{malformed,
/// "override.validity"} for a wished validity that leaves nothing.
[[nodiscard]] crypto::CertificateContents contents_for(const IssuanceRequest& request,
                                                       const Bytes& serial, Instant now);

}  // namespace estia::ca
