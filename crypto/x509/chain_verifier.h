// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/x509/certificate.h"
#include "crypto/x509/crl.h"

namespace estia::crypto {

/// What RFC 5280 path validation said about a client certificate. Revocation of our own
/// certificates is looked up in our store by the caller.
struct ChainOutcome {
  enum class Failure {
    none,
    untrusted,           ///< path, dates, purpose, signatures
    revoked,             ///< a CRL lists one of the chain
    revocation_unknown,  ///< a CRL that is required is missing, not valid now, or not the issuer's
  };
  bool trusted = false;
  std::vector<Certificate> chain{};  ///< leaf first, anchor last; empty unless trusted
  Failure failure = Failure::untrusted;
  std::string reason{};  ///< OpenSSL's text for the first error; for logs
};

/// The CRLs by which a chain is judged, down from the certificate that the anchor signed; the
/// anchor itself is trusted until it is removed. `required`: each certificate needs a CRL of its
/// issuer that is valid now. Otherwise those that there are count, also when their time is over.
struct CrlCheck {
  const std::vector<Crl>& crls;
  bool required = true;
};

/// Validates for the purpose TLS client (EKU clientAuth or absent EKU is not enough for us: callers
/// check what they need) at time `at`, against exactly these anchors (partial chains to a listed
/// intermediate anchor allowed). `untrusted` = what the peer sent. Without `crls` no revocation is
/// looked up.
[[nodiscard]] ChainOutcome verify_client_chain(const Certificate& leaf,
                                               const std::vector<Certificate>& untrusted,
                                               const std::vector<Certificate>& anchors, Instant at,
                                               const std::optional<CrlCheck>& crls = std::nullopt);

/// The same for a CA that signs CRLs, whose certificate must say so (cRLSign).
[[nodiscard]] ChainOutcome verify_crl_issuer(const Certificate& issuer,
                                             const std::vector<Certificate>& untrusted,
                                             const Certificate& anchor, Instant at);

}  // namespace estia::crypto
