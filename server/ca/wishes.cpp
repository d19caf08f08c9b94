// SPDX-License-Identifier: Apache-2.0
#include "server/ca/wishes.h"

#include <algorithm>
#include <array>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/x509/extension_values.h"

namespace estia::ca {
namespace {

constexpr std::string_view kPrivateKeyUsagePeriod = "2.5.29.16";
constexpr std::string_view kAnyPurpose = "2.5.29.37.0";

template <class Values, std::size_t N>
void refuse_powers(const Values& asked, const std::array<std::string_view, N>& powers) {
  for (const auto& one : asked) {
    if (std::find(powers.begin(), powers.end(), one) != powers.end()) {
      throw Error(ErrorCode::forbidden, "override.power", "no request may ask for " + one);
    }
  }
}

/// Calls `parse`; what it finds wrong is the request's mistake.
template <class Parse>
auto parsed(const crypto::Extension& extension, Parse&& parse) {
  try {
    return parse(extension.value);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::malformed) {
      throw;
    }
    throw Error(ErrorCode::malformed, "override.malformed",
                "the requested extension " + extension.oid + " is malformed", error.detail());
  }
}

bool lists(const std::vector<std::string>& oids, const std::string& oid) {
  return std::find(oids.begin(), oids.end(), oid) != oids.end();
}

void take_over(const crypto::Extension& extension, GrantedWishes& granted) {
  if (extension.oid == crypto::oid::kExtendedKeyUsage) {
    constexpr std::array<std::string_view, 4> kPowers{crypto::oid::kCmcRa, crypto::oid::kCmcCa,
                                                      crypto::oid::kOcspSigning, kAnyPurpose};
    refuse_powers(parsed(extension, crypto::key_purpose_oids), kPowers);
  }
  parsed(extension, [](ByteView value) { der::check_structure(value); });
  granted.extensions.push_back(extension);
}

}  // namespace

bool is_made_by_ca(std::string_view oid) noexcept {
  constexpr std::string_view kNameConstraints = "2.5.29.30";
  constexpr std::string_view kPolicyMappings = "2.5.29.33";
  constexpr std::string_view kPolicyConstraints = "2.5.29.36";
  constexpr std::string_view kFreshestCrl = "2.5.29.46";
  constexpr std::string_view kInhibitAnyPolicy = "2.5.29.54";
  constexpr std::string_view kNetscapeCertType = "2.16.840.1.113730.1.1";  // has bits for CAs
  // Where revocation is looked up is not for the one who may be revoked to say.
  constexpr std::array<std::string_view, 13> kOurs{crypto::oid::kCrlDistributionPoints,
                                                   crypto::oid::kAuthorityInfoAccess,
                                                   kFreshestCrl,
                                                   kPolicyMappings,
                                                   kPolicyConstraints,
                                                   kInhibitAnyPolicy,
                                                   kNetscapeCertType,
                                                   crypto::oid::kSubjectKeyIdentifier,
                                                   crypto::oid::kKeyUsage,
                                                   crypto::oid::kSubjectAltName,
                                                   crypto::oid::kBasicConstraints,
                                                   kNameConstraints,
                                                   crypto::oid::kAuthorityKeyIdentifier};
  return std::find(kOurs.begin(), kOurs.end(), oid) != kOurs.end();
}

GrantedWishes granted_wishes(const CertificateProfile& profile,
                             const std::vector<crypto::Extension>& requested) {
  GrantedWishes granted;
  for (const crypto::Extension& extension : requested) {
    if (extension.oid == crypto::oid::kKeyUsage && profile.override_key_usage) {
      granted.key_usage = parsed(extension, crypto::key_usage_names);
      constexpr std::array<std::string_view, 2> kPowers{"keyCertSign", "cRLSign"};
      refuse_powers(*granted.key_usage, kPowers);
    } else if (extension.oid == kPrivateKeyUsagePeriod && profile.override_validity) {
      const crypto::UsagePeriod period = parsed(extension, crypto::private_key_usage_period);
      granted.not_before = period.not_before;
      granted.not_after = period.not_after;
    } else if (lists(profile.override_extensions, extension.oid)) {
      take_over(extension, granted);
    }
  }
  return granted;
}

void refuse_other_wishes(const CertificateProfile& profile,
                         const std::vector<crypto::Extension>& requested,
                         const std::vector<crypto::Extension>& built) {
  if (!profile.strict_override) {
    return;
  }
  for (const crypto::Extension& wish : requested) {
    const bool validity = wish.oid == kPrivateKeyUsagePeriod && profile.override_validity;
    // Names were judged before; a SAN in another order is the same SAN.
    const bool names = wish.oid == crypto::oid::kSubjectAltName;
    const bool there = std::any_of(built.begin(), built.end(), [&](const auto& extension) {
      return extension.oid == wish.oid && extension.value == wish.value;
    });
    if (!validity && !names && !there) {
      throw Error(ErrorCode::forbidden, "override.refused",
                  "the request asks for the extension " + wish.oid +
                      " with a value that is not for it to decide");
    }
  }
}

}  // namespace estia::ca
