// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "crypto/base/clock.h"
#include "server/ca/identity.h"
#include "server/ca/model.h"
#include "server/ca/registry.h"

namespace estia::auth {

/// The role a client certificate gives on an alias whose CA is `issuer` (design: roles). `chain` is
/// what the client sent, leaf first, not empty; TLS has proven possession of the leaf's key.
///
/// Only a certificate that `issuer` itself signed counts (EST-3.7-c), that is valid at `now`, lists
/// clientAuth, and that our store knows as issued and not revoked (EST-4.2.2-f; unknown = refused).
/// With cmcRA it is a registration authority, else its own end entity.
///
/// Throws Error{forbidden, ...}: "auth.certificate_untrusted", "auth.no_client_auth",
/// "auth.certificate_unknown", "auth.certificate_revoked"; Error{store, ...}.
[[nodiscard]] ca::Identity identify_certificate(const ca::CertificationAuthority& issuer,
                                                const ca::Registry& registry,
                                                const std::vector<crypto::Certificate>& chain,
                                                Instant now);

}  // namespace estia::auth
