// SPDX-License-Identifier: Apache-2.0
#include "server/auth/foreign_certificate.h"

#include <algorithm>
#include <optional>

#include "crypto/base/error.h"
#include "crypto/x509/chain_verifier.h"

namespace estia::auth {
namespace {

using Failure = crypto::ChainOutcome::Failure;

[[noreturn]] void refuse(const crypto::Certificate& leaf, Failure failure, const std::string& why) {
  const std::string detail =
      "client certificate " + to_hex(leaf.serial()) + " of " + leaf.issuer().text() + ": " + why;
  switch (failure) {
    case Failure::revoked:
      throw Error(ErrorCode::forbidden, "auth.certificate_revoked",
                  "the client certificate is revoked", detail);
    case Failure::revocation_unknown:
      throw Error(ErrorCode::forbidden, "auth.revocation_unknown",
                  "whether the client certificate is revoked is not known here", detail);
    case Failure::none:
    case Failure::untrusted:
      break;
  }
  throw Error(ErrorCode::forbidden, "auth.certificate_untrusted",
              "the client certificate is not trusted here", detail);
}

std::optional<crypto::CrlCheck> crl_check(const ca::TrustAnchor& anchor) {
  switch (anchor.revocation) {
    case ca::RevocationPolicy::none:
      return std::nullopt;
    case ca::RevocationPolicy::crl_if_present:
      return crypto::CrlCheck{.crls = anchor.crls, .required = false};
    case ca::RevocationPolicy::crl_required:
      break;
  }
  return crypto::CrlCheck{.crls = anchor.crls, .required = true};
}

/// Certificates of our own CAs are judged by our own records, whoever else may have certified the
/// CA.
bool is_ours(const ca::Snapshot& snapshot, const crypto::Certificate& leaf) {
  return std::ranges::any_of(snapshot.cas, [&](const auto& named) {
    const crypto::Certificate& ca = named.second.certificate();
    return ca.subject().matches(leaf.issuer()) && leaf.signed_by(ca.public_key());
  });
}

/// CRLs only once every signature of the chain was found good: OpenSSL looks at them first, and a
/// big CRL is hashed each time.
crypto::ChainOutcome judge(const ca::TrustAnchor& anchor, const crypto::Certificate& leaf,
                           const std::vector<crypto::Certificate>& untrusted, Instant now) {
  crypto::ChainOutcome outcome =
      crypto::verify_client_chain(leaf, untrusted, {anchor.certificate}, now);
  const std::optional<crypto::CrlCheck> crls = crl_check(anchor);
  if (outcome.trusted && crls) {
    outcome = crypto::verify_client_chain(leaf, untrusted, {anchor.certificate}, now, crls);
  }
  return outcome;
}

}  // namespace

void check_foreign_certificate(const ca::Snapshot& snapshot,
                               const std::vector<std::string>& anchors,
                               const std::vector<crypto::Certificate>& chain, Instant now) {
  const crypto::Certificate& leaf = chain.front();
  if (is_ours(snapshot, leaf)) {
    refuse(leaf, Failure::untrusted, "issued by a CA of this server");
  }
  const std::vector<crypto::Certificate> untrusted(chain.begin() + 1, chain.end());
  Failure failure = Failure::untrusted;
  std::string why = "no trust anchors";
  // Each anchor by itself, since each has its own policy: one that does not ask for CRLs must not
  // be a way around one that does, so what any of them says about revocation is final.
  bool trusted = false;
  for (const std::string& name : anchors) {
    const ca::TrustAnchor& anchor = snapshot.trust_anchor(name);
    const crypto::ChainOutcome outcome = judge(anchor, leaf, untrusted, now);
    trusted = trusted || outcome.trusted;
    if (!outcome.trusted &&
        (failure == Failure::untrusted || outcome.failure == Failure::revoked)) {  // the worst
      failure = outcome.failure;
      why = outcome.reason + " (anchor " + name + ")";
    }
  }
  if (!trusted || failure != Failure::untrusted) {
    refuse(leaf, failure, why);
  }
}

}  // namespace estia::auth
