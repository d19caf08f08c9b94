// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "server/ca/model.h"

namespace estia::auth {

/// Holds for a client certificate of a CA that is not ours: `chain` is what the client sent, leaf
/// first, not empty, and leads to one of these trust anchors of the configuration, and the anchor's
/// revocation policy lets it pass. Our store knows nothing about it.
///
/// Throws Error{forbidden, ...}: "auth.certificate_untrusted", "auth.certificate_revoked",
/// "auth.revocation_unknown" (a CRL that is required is missing or late). Any thread.
void check_foreign_certificate(const ca::Snapshot& snapshot,
                               const std::vector<std::string>& anchors,
                               const std::vector<crypto::Certificate>& chain, Instant now);

}  // namespace estia::auth
