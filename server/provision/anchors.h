// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "server/ca/configuration_store.h"
#include "server/ca/model.h"

namespace estia::provision {

/// A foreign CA somebody wants trusted, and where.
struct AnchorPlan {
  std::string name{};
  std::string certificate{};             ///< PEM
  std::string revocation{};              ///< none, crl-if-present, crl-required
  std::vector<std::string> vendor_of{};  ///< aliases whose vendor it is
  std::vector<std::string>
      explicit_of{};  ///< aliases whose listed registration authorities it issued
};

/// The canonical document with one anchor more, to be applied like any other, which checks it.
/// Throws Error{conflict, "anchor.exists"}, Error{config, "config.reference"} for an unknown alias,
/// what parse() throws.
[[nodiscard]] std::string with_anchor(const std::string& document, const AnchorPlan& plan);

/// The document without it, in no list either. Throws Error{not_found, "anchor.unknown"}.
[[nodiscard]] std::string without_anchor(const std::string& document, const std::string& name);

/// A CRL for what this anchor leads to, checked: signed by the anchor, or by the first of `issuers`
/// (PEM, or empty), a CA below it that the rest of them leads to; of now, and not older than the
/// one there is. Throws Error{malformed, "crl.malformed" | "crl.not_full" | "crl.issuer" |
/// "crl.not_current"}, Error{conflict, "crl.older"}, Error{config, "certificate.pem"}.
[[nodiscard]] ca::StoredCrl verified_crl(const ca::TrustAnchor& anchor, ByteView octets,
                                         const std::string& issuers, Instant now);

}  // namespace estia::provision
