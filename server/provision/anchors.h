// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "server/ca/configuration_store.h"
#include "server/ca/model.h"
#include "server/provision/apply.h"

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

/// A CRL somebody hands in.
struct CrlRequest {
  std::string anchor{};   ///< its name
  Bytes crl{};            ///< DER or PEM
  std::string issuers{};  ///< as in verified_crl
  std::string who{};      ///< for the audit trail
};

/// Checks it against the configuration as stored, stores it with its audit row, and publishes. One
/// call at a time: what is newer is judged by what is stored. Throws what verified_crl throws,
/// Error{not_found, "anchor.unknown"}, Error{store, ...}; then nothing has changed.
[[nodiscard]] crypto::Crl take_crl(const CrlRequest& request, ca::ConfigurationStore& store,
                                   const Clock& clock, const ApplyHooks& hooks = {});

/// A CRL for what this anchor leads to, checked: signed by the anchor, or by the first of `issuers`
/// (PEM, or empty), a CA below it that the rest of them leads to; of now, and not older than the
/// one there is. Throws Error{malformed, "crl.malformed" | "crl.not_full" | "crl.issuer" |
/// "crl.not_current"}, Error{conflict, "crl.older"}, Error{config, "certificate.pem"}.
[[nodiscard]] ca::StoredCrl verified_crl(const ca::TrustAnchor& anchor, ByteView octets,
                                         const std::string& issuers, Instant now);

}  // namespace estia::provision
