// SPDX-License-Identifier: Apache-2.0
#include "server/provision/anchors.h"

#include <algorithm>

#include "crypto/base/error.h"
#include "crypto/x509/chain_verifier.h"
#include "server/provision/configuration_document.h"
#include "server/provision/document_table.h"

namespace estia::provision {
namespace {

constexpr const char* kSource = "configuration in force";

void add_to(ca::Snapshot& contents, const std::vector<std::string>& aliases,
            std::vector<std::string> ca::Alias::*list, const std::string& name) {
  for (const std::string& wanted : aliases) {
    const auto found = contents.aliases.find(wanted);
    if (found == contents.aliases.end()) {
      throw Error(ErrorCode::config, "config.reference", "there is no alias '" + wanted + "'");
    }
    (found->second.*list).push_back(name);
  }
}

/// Whose signature the CRL has to bear.
crypto::Certificate crl_issuer(const ca::TrustAnchor& anchor, const crypto::Crl& crl,
                               const std::string& issuers, Instant now) {
  const std::string who = crl.issuer().text();
  if (issuers.empty()) {
    if (!(crl.issuer() == anchor.certificate.subject())) {
      throw Error(ErrorCode::malformed, "crl.issuer",
                  "the CRL is of " + who +
                      ", not of the anchor itself: its CA's certificate is "
                      "needed with it");
    }
    return anchor.certificate;
  }
  const auto chain = crypto::Certificate::parse_pem(issuers);
  const auto outcome = crypto::verify_crl_issuer(chain.front(), {chain.begin() + 1, chain.end()},
                                                 anchor.certificate, now);
  if (!outcome.trusted || !(crl.issuer() == chain.front().subject())) {
    throw Error(ErrorCode::malformed, "crl.issuer",
                "the CA's certificate that came with the CRL of " + who +
                    " is not that CA's, or does not lead to the anchor",
                outcome.reason);
  }
  return chain.front();
}

void check_time(const ca::TrustAnchor& anchor, const crypto::Crl& crl, Instant now) {
  if (crl.this_update() > now || (crl.next_update() && *crl.next_update() <= now)) {
    throw Error(ErrorCode::malformed, "crl.not_current", "the CRL is not valid now");
  }
  const bool older = std::ranges::any_of(anchor.crls, [&](const crypto::Crl& known) {
    return known.issuer() == crl.issuer() && known.this_update() > crl.this_update();
  });
  if (older) {
    throw Error(ErrorCode::conflict, "crl.older", "there is a newer CRL of this CA already");
  }
}

}  // namespace

std::string with_anchor(const std::string& document, const AnchorPlan& plan) {
  ParsedConfiguration parsed = parse(document, kSource);
  if (parsed.contents.trust_anchors.contains(plan.name)) {
    throw Error(ErrorCode::conflict, "anchor.exists",
                "there is a trust anchor '" + plan.name + "' already");
  }
  add_to(parsed.contents, plan.vendor_of, &ca::Alias::vendor_anchors, plan.name);
  add_to(parsed.contents, plan.explicit_of, &ca::Alias::trust_anchors, plan.name);
  return print(parsed) + "\n[[trust_anchor]]\nname = " + toml_string(plan.name) +
         "\nrevocation = " + toml_string(plan.revocation) +
         "\ncertificate = " + toml_string(plan.certificate) + "\n";
}

std::string without_anchor(const std::string& document, const std::string& name) {
  ParsedConfiguration parsed = parse(document, kSource);
  if (parsed.contents.trust_anchors.erase(name) == 0) {
    throw Error(ErrorCode::not_found, "anchor.unknown", "there is no trust anchor '" + name + "'");
  }
  for (auto& [label, alias] : parsed.contents.aliases) {
    std::erase(alias.vendor_anchors, name);
    std::erase(alias.trust_anchors, name);
  }
  return print(parsed);
}

crypto::Crl take_crl(const CrlRequest& request, ca::ConfigurationStore& store, const Clock& clock,
                     const ApplyHooks& hooks) {
  ca::StoredConfiguration stored = store.load().value_or(ca::StoredConfiguration{});
  const auto present = stored.version == 0 ? nullptr : build_snapshot(stored);
  if (!present || !present->trust_anchors.contains(request.anchor)) {
    throw Error(ErrorCode::not_found, "anchor.unknown",
                "there is no trust anchor '" + request.anchor + "'");
  }
  const Instant now = clock.now();
  const ca::StoredCrl taken =
      verified_crl(present->trust_anchor(request.anchor), request.crl, request.issuers, now);
  std::erase_if(stored.crls, [&](const ca::StoredCrl& each) {
    return each.anchor == taken.anchor && each.issuer == taken.issuer;
  });
  stored.crls.push_back(taken);
  // Built first: what is stored can be put in force.
  std::shared_ptr<const ca::Snapshot> next = build_snapshot(stored);
  crypto::Crl crl = next->trust_anchor(request.anchor).crls.back();  // the order is kept
  store.set_crl(taken, {.at = now,
                        .who = request.who,
                        .what = "anchor.crl",
                        .outcome = "ok",
                        .object = request.anchor,
                        .detail = "issuer=" + crl.issuer().text() +
                                  " this_update=" + utc_text(crl.this_update())});
  if (hooks.publish) {
    hooks.publish(std::move(next));
  }
  return crl;
}

ca::StoredCrl verified_crl(const ca::TrustAnchor& anchor, ByteView octets,
                           const std::string& issuers, Instant now) {
  const crypto::Crl crl = crypto::Crl::parse(octets);
  const crypto::Certificate issuer = crl_issuer(anchor, crl, issuers, now);
  if (!crl.signed_by(issuer.public_key())) {
    throw Error(ErrorCode::malformed, "crl.issuer",
                "the CRL's signature is not that of " + issuer.subject().text() +
                    ", or not by SHA-256 or better");
  }
  check_time(anchor, crl, now);
  return {.anchor = anchor.certificate.fingerprint_sha256(),
          .issuer = crl.issuer().canonical(),
          .der = crl.der()};
}

}  // namespace estia::provision
