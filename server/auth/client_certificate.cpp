// SPDX-License-Identifier: Apache-2.0
#include "server/auth/client_certificate.h"

#include "crypto/base/error.h"
#include "crypto/x509/chain_verifier.h"
#include "crypto/x509/extension.h"

namespace estia::auth {
namespace {

[[noreturn]] void refuse(const char* id, const char* text, const crypto::Certificate& leaf,
                         const std::string& why) {
  throw Error(ErrorCode::forbidden, id, text,
              "client certificate " + to_hex(leaf.serial()) + ": " + why);
}

void check_chain(const ca::CertificationAuthority& issuer,
                 const std::vector<crypto::Certificate>& chain, Instant now) {
  const crypto::Certificate& leaf = chain.front();
  const std::vector<crypto::Certificate> untrusted(chain.begin() + 1, chain.end());
  const crypto::ChainOutcome outcome =
      crypto::verify_client_chain(leaf, untrusted, issuer.chain, now);
  constexpr const char* kText = "the client certificate is not trusted here";
  if (!outcome.trusted) {
    refuse("auth.certificate_untrusted", kText, leaf, outcome.reason);
  }
  // A sister CA under the same root chains too, but is not this alias's CA.
  if (outcome.chain.size() < 2 || !(outcome.chain[1] == issuer.certificate())) {
    refuse("auth.certificate_untrusted", kText, leaf, "not issued by the CA of this alias");
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

}  // namespace

ca::Identity identify_certificate(const ca::CertificationAuthority& issuer,
                                  const ca::Registry& registry,
                                  const std::vector<crypto::Certificate>& chain, Instant now) {
  const crypto::Certificate& leaf = chain.front();
  check_chain(issuer, chain, now);
  if (!leaf.has_extended_key_usage(crypto::oid::kClientAuth)) {
    refuse("auth.no_client_auth", "the client certificate is not for client authentication", leaf,
           "extended key usage clientAuth is missing");
  }
  ca::CertificateRecord record = find_record(issuer, registry, leaf);
  if (record.revocation) {
    refuse("auth.certificate_revoked", "the client certificate is revoked", leaf,
           "revoked with reason " + std::to_string(record.revocation->reason));
  }
  if (leaf.has_extended_key_usage(crypto::oid::kCmcRa)) {
    return ca::Identity::ra_certificate(leaf);
  }
  if (record.username.empty()) {
    refuse("auth.certificate_unknown", "the client certificate is not known here", leaf,
           "belongs to no end entity");
  }
  return ca::Identity::self(leaf, std::move(record.username));
}

}  // namespace estia::auth
