// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/x509/certificate.h"

namespace estia::crypto {

/// What RFC 5280 path validation said about a client certificate. Revocation of our own
/// certificates is looked up in our store by the caller.
struct ChainOutcome {
  bool trusted = false;
  std::vector<Certificate> chain;  ///< leaf first, anchor last; empty unless trusted
  std::string reason;              ///< OpenSSL's text for the first error; for logs
};

/// Validates for the purpose TLS client (EKU clientAuth or absent EKU is not enough for us: callers
/// check what they need) at time `at`, against exactly these anchors (partial chains to a listed
/// intermediate anchor allowed). `untrusted` = what the peer sent.
[[nodiscard]] ChainOutcome verify_client_chain(const Certificate& leaf,
                                               const std::vector<Certificate>& untrusted,
                                               const std::vector<Certificate>& anchors, Instant at);

}  // namespace estia::crypto
