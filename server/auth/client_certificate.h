// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "crypto/base/clock.h"
#include "server/ca/identity.h"
#include "server/ca/model.h"
#include "server/ca/registry.h"

namespace estia::auth {

/// A certificate of ours, as the store knows it.
struct KnownCertificate {
  ca::CertificateRecord record{};
  bool registration_authority = false;
};

/// What a client certificate is on this alias. `chain` is what the client sent,
/// leaf first, not empty; TLS has proven possession of the leaf's key.
///
/// Only a certificate that one of the alias's CAs itself signed counts (EST-3.7-c), that is valid
/// at `now` or expired no longer than `grace` before (its CAs must be valid now), lists clientAuth,
/// and that our store knows as issued and not revoked (EST-4.2.2-f; unknown = refused). One that a
/// newer certificate superseded passes as a device's: it is good for the repetition of the request
/// that ended it, which the intent's transaction decides. With cmcRA, or listed by the alias, it is
/// a registration authority, else its own end entity.
///
/// Throws Error{forbidden, ...}: "auth.certificate_untrusted", "auth.no_client_auth",
/// "auth.certificate_unknown", "auth.certificate_revoked"; Error{store, ...}.
[[nodiscard]] KnownCertificate identify_certificate(const ca::Snapshot& snapshot,
                                                    const ca::Alias& alias,
                                                    const ca::Registry& registry,
                                                    const std::vector<crypto::Certificate>& chain,
                                                    Instant now, std::chrono::seconds grace);

/// Whether the alias lists this certificate as a registration authority, and no CA of the alias
/// issued it.
[[nodiscard]] bool is_foreign_ra(const ca::Snapshot& snapshot, const ca::Alias& alias,
                                 const crypto::Certificate& leaf);

/// The same promises for such a one as for ours: it leads to one of the alias's explicit trust
/// anchors, is not revoked there, and lists clientAuth. Throws what check_foreign_certificate
/// throws, and Error{forbidden, "auth.no_client_auth"}.
void check_foreign_ra(const ca::Snapshot& snapshot, const ca::Alias& alias,
                      const std::vector<crypto::Certificate>& chain, Instant now);

}  // namespace estia::auth
