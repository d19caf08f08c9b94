// SPDX-License-Identifier: Apache-2.0
#include "server/auth/foreign_certificate.h"

#include <algorithm>
#include <iterator>

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

/// What is asked about, and of whom.
struct Case {
  const crypto::Certificate& leaf;
  /// What the client sent, and the anchors: a client that leaves out an intermediate must not hide
  /// that it leads to a second anchor.
  const std::vector<crypto::Certificate>& pool;
  const std::vector<const ca::TrustAnchor*>& anchors;
  Instant now;
};

/// Whether a CA of the chain made it, by its key: two CAs may bear one name.
bool is_by_one_of(const std::vector<crypto::Certificate>& chain, const crypto::Crl& crl) {
  return std::any_of(chain.begin() + 1, chain.end(), [&](const crypto::Certificate& issuer) {
    return issuer.subject() == crl.issuer() && crl.signed_by(issuer.public_key());
  });
}

/// The anchor's own, and those that the alias's other anchors have of this chain's CAs: what one of
/// them was told, the others know.
std::vector<crypto::Crl> known_crls(const Case& asked, const ca::TrustAnchor& anchor,
                                    const std::vector<crypto::Certificate>& chain) {
  std::vector<crypto::Crl> crls;
  for (const ca::TrustAnchor* each : asked.anchors) {
    if (each->revocation == ca::RevocationPolicy::none) {
      continue;
    }
    std::ranges::copy_if(each->crls, std::back_inserter(crls), [&](const crypto::Crl& crl) {
      return each == &anchor || is_by_one_of(chain, crl);
    });
  }
  return crls;
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
crypto::ChainOutcome judge(const Case& asked, const ca::TrustAnchor& anchor) {
  const std::vector<crypto::Certificate> trusted{anchor.certificate};
  crypto::ChainOutcome outcome =
      crypto::verify_client_chain(asked.leaf, asked.pool, trusted, asked.now);
  if (!outcome.trusted) {
    return outcome;
  }
  const bool required = anchor.revocation == ca::RevocationPolicy::crl_required;
  const std::vector<crypto::Crl> crls = known_crls(asked, anchor, outcome.chain);
  if (required || !crls.empty()) {
    outcome = crypto::verify_client_chain(asked.leaf, asked.pool, trusted, asked.now,
                                          crypto::CrlCheck{.crls = crls, .required = required});
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
  std::vector<crypto::Certificate> pool(chain.begin() + 1, chain.end());
  std::vector<const ca::TrustAnchor*> known;
  for (const std::string& name : anchors) {
    known.push_back(&snapshot.trust_anchor(name));
    pool.push_back(known.back()->certificate);
  }
  const Case asked{leaf, pool, known, now};
  Failure failure = Failure::untrusted;
  std::string why = "no trust anchors";
  // Each anchor by itself, since each has its own policy: one that does not ask for CRLs must not
  // be a way around one that does, so what any of them says about revocation is final.
  bool trusted = false;
  for (const ca::TrustAnchor* anchor : known) {
    const crypto::ChainOutcome outcome = judge(asked, *anchor);
    trusted = trusted || outcome.trusted;
    if (!outcome.trusted &&
        (failure == Failure::untrusted || outcome.failure == Failure::revoked)) {  // the worst
      failure = outcome.failure;
      why = outcome.reason + " (anchor " + anchor->name + ")";
    }
  }
  if (!trusted || failure != Failure::untrusted) {
    refuse(leaf, failure, why);
  }
}

}  // namespace estia::auth
