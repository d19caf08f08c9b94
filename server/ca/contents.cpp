// SPDX-License-Identifier: Apache-2.0
#include "server/ca/contents.h"

#include <algorithm>

#include "crypto/base/error.h"
#include "server/ca/wishes.h"

namespace estia::ca {
namespace {

constexpr std::string_view kRsaOid = "1.2.840.113549.1.1.1";
constexpr std::string_view kEcOid = "1.2.840.10045.2.1";

void check_key(const IssuanceRequest& request) {
  const crypto::PublicKey& key = request.subject_key;
  key.check_strength();
  request.profile->check_kind(key);
  if (!request.profile->ca && key == request.issuer_key) {
    throw Error(ErrorCode::malformed, "key.is_ca_key", "this key belongs to the CA");
  }
}

/// X509-4.2.1.3-a: what the key cannot do must not be promised (RFC 5480 3, RFC 8410 5).
crypto::KeyUsageNames usable_bits(const crypto::KeyUsageNames& bits, const crypto::PublicKey& key) {
  const std::string& algorithm = key.spec()->algorithm_oid;
  crypto::KeyUsageNames usable;
  for (const std::string& bit : bits) {
    const bool encipherment = bit == "keyEncipherment" || bit == "dataEncipherment";
    const bool agreement = bit == "keyAgreement" || bit == "encipherOnly" || bit == "decipherOnly";
    if ((encipherment && algorithm != kRsaOid) || (agreement && algorithm != kEcOid)) {
      continue;
    }
    usable.push_back(bit);
  }
  return usable;
}

std::vector<crypto::Extension> extensions_for(const IssuanceRequest& request,
                                              const GrantedWishes& granted) {
  const CertificateProfile& profile = *request.profile;
  std::vector<crypto::Extension> extensions;
  if (profile.ca) {
    extensions.push_back(crypto::basic_constraints_ca(profile.path_length));
  }
  if (!request.issuer_key_identifier.empty()) {
    extensions.push_back(crypto::authority_key_identifier(request.issuer_key_identifier));
  }
  extensions.push_back(crypto::subject_key_identifier(request.subject_key.key_identifier()));
  const crypto::KeyUsageNames& wanted = granted.key_usage.value_or(profile.key_usage);
  if (!wanted.empty()) {
    const auto bits = usable_bits(wanted, request.subject_key);
    if (bits.empty()) {
      // A certificate without the extension is good for anything (X509-4.2.1.3-a).
      throw Error(ErrorCode::malformed, "key.no_usage_left",
                  "a key of this kind can do nothing of what the key usage says");
    }
    extensions.push_back(crypto::key_usage(bits));
  }
  if (!profile.extended_key_usage.empty()) {
    extensions.push_back(crypto::extended_key_usage(profile.extended_key_usage));
  }
  if (!request.san.empty()) {
    extensions.push_back(crypto::subject_alt_name(request.san, request.subject.empty()));
  }
  if (!profile.crl_distribution_points.empty()) {
    extensions.push_back(crypto::crl_distribution_points(profile.crl_distribution_points));
  }
  if (!profile.ca_issuers.empty() || !profile.ocsp.empty()) {
    extensions.push_back(crypto::authority_info_access(profile.ca_issuers, profile.ocsp));
  }
  for (const crypto::Extension& wish : granted.extensions) {
    std::erase_if(extensions, [&](const auto& ours) { return ours.oid == wish.oid; });
    extensions.push_back(wish);
  }
  return extensions;
}

struct Validity {
  Instant from;
  Instant to;
};

/// The profile's, cut to the CA's own (X509-4.1.2.5-c) and to what the request wishes: a wish never
/// makes it longer.
Validity validity_for(const IssuanceRequest& request, const GrantedWishes& granted, Instant now) {
  Validity validity{now - request.profile->backdate, now + request.profile->validity};
  validity.from = std::max(validity.from, request.issuer_not_before.value_or(validity.from));
  validity.to = std::min(validity.to, request.issuer_not_after.value_or(validity.to));
  validity.from = std::max(validity.from, granted.not_before.value_or(validity.from));
  validity.to = std::min(validity.to, granted.not_after.value_or(validity.to));
  if (validity.from >= validity.to) {
    throw Error(ErrorCode::malformed, "override.validity",
                "the requested validity lies outside what may be certified now");
  }
  return validity;
}

}  // namespace

crypto::CertificateContents contents_for(const IssuanceRequest& request, const Bytes& serial,
                                         Instant now) {
  check_key(request);
  if (request.issuer_not_after && *request.issuer_not_after <= now) {
    throw Error(ErrorCode::busy, "issuer.ca_expired", "the CA cannot issue now",
                "the certificate of " + request.ca + " has expired");
  }
  const GrantedWishes granted = granted_wishes(*request.profile, request.wishes);
  const Validity validity = validity_for(request, granted, now);
  std::vector<crypto::Extension> extensions = extensions_for(request, granted);
  refuse_other_wishes(*request.profile, request.wishes, extensions);
  return crypto::CertificateContents{.serial = serial,
                                     .issuer = request.issuer,
                                     .subject = request.subject,
                                     .not_before = validity.from,
                                     .not_after = validity.to,
                                     .public_key = request.subject_key,
                                     .extensions = std::move(extensions)};
}

}  // namespace estia::ca
