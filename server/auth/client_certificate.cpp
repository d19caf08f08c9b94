// SPDX-License-Identifier: Apache-2.0
#include "server/auth/client_certificate.h"

#include <algorithm>

#include "crypto/base/error.h"
#include "crypto/x509/chain_verifier.h"
#include "crypto/x509/extension.h"
#include "server/auth/foreign_certificate.h"

namespace estia::auth {
namespace {

[[noreturn]] void refuse(const char* id, const char* text, const crypto::Certificate& leaf,
                         const std::string& why) {
  throw Error(ErrorCode::forbidden, id, text,
              "client certificate " + to_hex(leaf.serial()) + ": " + why);
}

/// When the chain of this certificate is verified: now, or while it was last valid, if it has
/// expired within `grace`.
Instant judged_at(const crypto::Certificate& leaf, Instant now, std::chrono::seconds grace) {
  const bool lately = now >= leaf.not_after() && now - grace < leaf.not_after();
  // OpenSSL counts the last second of notAfter as expired.
  return lately ? leaf.not_after() - std::chrono::seconds(1) : now;
}

void check_chain(const ca::CertificationAuthority& issuer,
                 const std::vector<crypto::Certificate>& chain, Instant now,
                 std::chrono::seconds grace) {
  const crypto::Certificate& leaf = chain.front();
  const std::vector<crypto::Certificate> untrusted(chain.begin() + 1, chain.end());
  const crypto::ChainOutcome outcome =
      crypto::verify_client_chain(leaf, untrusted, issuer.chain, judged_at(leaf, now, grace));
  constexpr const char* kText = "the client certificate is not trusted here";
  if (!outcome.trusted) {
    refuse("auth.certificate_untrusted", kText, leaf, outcome.reason);
  }
  // A sister CA under the same root chains too, but is not this alias's CA.
  if (outcome.chain.size() < 2 || !(outcome.chain[1] == issuer.certificate())) {
    refuse("auth.certificate_untrusted", kText, leaf, "not issued by the CA of this alias");
  }
  // The grace is the leaf's alone.
  for (std::size_t i = 1; i < outcome.chain.size(); ++i) {
    if (now < outcome.chain[i].not_before() || now >= outcome.chain[i].not_after()) {
      refuse("auth.certificate_untrusted", kText, leaf, "a CA above it is not valid now");
    }
  }
}

/// The record of exactly this certificate. A certificate leaves this server only after it was
/// recorded as issued, so any other state means that something is wrong: refused.
ca::CertificateRecord find_record(const ca::CertificationAuthority& issuer,
                                  const ca::Registry& registry, const crypto::Certificate& leaf) {
  std::optional<ca::CertificateRecord> record = registry.find(leaf.serial());
  if (!record || record->state != ca::CertificateState::issued || record->ca != issuer.name ||
      record->certificate != leaf.der()) {
    refuse("auth.certificate_unknown", "the client certificate is not known here", leaf,
           "not in the store as issued by " + issuer.name);
  }
  return std::move(*record);
}

/// The one of the alias's CAs that the certificate names as its issuer.
const ca::CertificationAuthority& issuer_of(const ca::Snapshot& snapshot, const ca::Alias& alias,
                                            const crypto::Certificate& leaf) {
  std::vector<const ca::CertificationAuthority*> candidates;
  for (const auto& [name, authority] : snapshot.cas) {
    if (alias.serves(name) && authority.certificate().subject() == leaf.issuer()) {
      candidates.push_back(&authority);
    }
  }
  // Two CAs may bear one name: the key tells them apart.
  if (candidates.size() > 1) {
    std::erase_if(candidates, [&](const auto* authority) {
      return !leaf.signed_by(authority->certificate().public_key());
    });
  }
  if (candidates.empty()) {
    refuse("auth.certificate_untrusted", "the client certificate is not trusted here", leaf,
           "not issued by a CA of this alias");
  }
  return *candidates.front();
}

bool is_listed(const ca::Alias& alias, const crypto::Certificate& leaf) {
  return std::ranges::any_of(alias.ra_certificates,
                             [&](const auto& listed) { return listed.is(leaf); });
}

void require_client_auth(const crypto::Certificate& leaf) {
  if (!leaf.has_extended_key_usage(crypto::oid::kClientAuth)) {
    refuse("auth.no_client_auth", "the client certificate is not for client authentication", leaf,
           "extended key usage clientAuth is missing");
  }
}

}  // namespace

KnownCertificate identify_certificate(const ca::Snapshot& snapshot, const ca::Alias& alias,
                                      const ca::Registry& registry,
                                      const std::vector<crypto::Certificate>& chain, Instant now,
                                      std::chrono::seconds grace) {
  const crypto::Certificate& leaf = chain.front();
  const ca::CertificationAuthority& issuer = issuer_of(snapshot, alias, leaf);
  check_chain(issuer, chain, now, grace);
  require_client_auth(leaf);
  KnownCertificate known{.record = find_record(issuer, registry, leaf)};
  known.registration_authority =
      leaf.has_extended_key_usage(crypto::oid::kCmcRa) || is_listed(alias, leaf);
  // A device whose renewal ended its old certificate, and whose answer was lost, has nothing but
  // that one to ask again with: the intent's transaction gives it the same answer, or refuses.
  const bool superseded =
      known.record.revocation && known.record.revocation->reason == ca::kSuperseded &&
      now - known.record.revocation->at < alias.retry_window && !known.registration_authority;
  if (known.record.revocation && !superseded) {
    refuse("auth.certificate_revoked", "the client certificate is revoked", leaf,
           "revoked with reason " + std::to_string(known.record.revocation->reason));
  }
  if (!known.registration_authority && known.record.username.empty()) {
    refuse("auth.certificate_unknown", "the client certificate is not known here", leaf,
           "belongs to no end entity");
  }
  return known;
}

bool is_foreign_ra(const ca::Snapshot& snapshot, const ca::Alias& alias,
                   const crypto::Certificate& leaf) {
  const auto is_ours = [&](const auto& named) {
    return alias.serves(named.first) && leaf.signed_by(named.second.certificate().public_key());
  };
  // SERIAL@ISSUER with the name of one of our CAs means a certificate of ours: a foreign CA could
  // give one of its own that name.
  const auto names_ours = [&](const auto& named) {
    return named.second.certificate().subject().matches(leaf.issuer());
  };
  const bool listed = std::ranges::any_of(alias.ra_certificates, [&](const auto& each) {
    return each.is(leaf) && !(each.sha256.empty() && std::ranges::any_of(snapshot.cas, names_ours));
  });
  return listed && std::ranges::none_of(snapshot.cas, is_ours);
}

void check_foreign_ra(const ca::Snapshot& snapshot, const ca::Alias& alias,
                      const std::vector<crypto::Certificate>& chain, Instant now) {
  check_foreign_certificate(snapshot, alias.trust_anchors, chain, now);
  require_client_auth(chain.front());
}

}  // namespace estia::auth
