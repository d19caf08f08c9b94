// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "crypto/x509/certificate.h"
#include "server/ca/naming.h"
#include "server/provision/configuration_parts.h"
#include "server/provision/configuration_rules.h"

namespace estia::provision {
namespace {

/// "SHA-256 in hexadecimal" or "SERIAL@ISSUER".
ca::ListedCertificate parse_listed(const ConfigurationSection& section, const std::string& text) {
  constexpr std::string_view kKey = "ra_certificates";
  constexpr std::size_t kSha256 = 32;
  const auto octets = [&](std::string hex) {
    std::erase(hex, ':');
    return checked(section, kKey, [&] { return from_hex(hex); });
  };
  const std::size_t at = text.find('@');
  if (at == std::string::npos) {
    ca::ListedCertificate listed{.sha256 = octets(text)};
    if (listed.sha256.size() != kSha256) {
      section.refuse("config.value", kKey,
                     "must be SHA-256 values in hexadecimal, or SERIAL@ISSUER");
    }
    return listed;
  }
  ca::ListedCertificate listed{.issuer = checked(section, kKey, [&] {
                                 return crypto::Name::from_text(text.substr(at + 1));
                               })};
  listed.serial = octets(text.substr(0, at));
  const auto first = std::ranges::find_if(listed.serial, [](auto octet) { return octet != 0; });
  listed.serial.erase(listed.serial.begin(), first);
  if (listed.serial.empty()) {
    section.refuse("config.value", kKey, "a serial number must be a hexadecimal number above 0");
  }
  return listed;
}

void read_ra_certificates(const ConfigurationSection& section, ca::Alias& alias) {
  for (const std::string& text : section.texts("ra_certificates")) {
    alias.ra_certificates.push_back(parse_listed(section, text));
  }
  if (!alias.ra_certificates.empty()) {
    require_scope(section, alias, "ra_certificates", "they may ask for");
  }
}

/// EJBCA advises against vendor certificates in RA mode; here it takes a switch, and a scope.
void check_vendor_mode(const ConfigurationSection& section, const ca::Alias& alias) {
  const bool vendors = alias.accepts(ca::Authenticator::vendor_certificate);
  if (!vendors && !alias.vendor_anchors.empty()) {
    section.refuse("config.value", "vendor_anchors",
                   "needs \"vendor-certificate\" among the authenticators");
  }
  if (vendors && alias.mode == ca::AliasMode::ra && !alias.vendor_in_ra_mode) {
    section.refuse("config.value", "authenticators",
                   "vendor-certificate is for mode = \"client\"; in RA mode it would make end "
                   "entities that nobody registered, and needs vendor_in_ra_mode = true");
  }
  if (alias.vendor_in_ra_mode && !vendors) {
    section.refuse("config.value", "vendor_in_ra_mode",
                   "needs \"vendor-certificate\" among the authenticators");
  }
  if (alias.vendor_in_ra_mode && ca::has_random_usernames(alias)) {
    section.refuse(
        "config.value", "vendor_in_ra_mode",
        "cannot work with random usernames: a device would be a new end entity each time");
  }
  if (alias.vendor_in_ra_mode) {
    require_scope(section, alias, "vendor_in_ra_mode", "there may be");
  }
}

}  // namespace

std::string_view to_string(ca::RevocationPolicy policy) noexcept {
  switch (policy) {
    case ca::RevocationPolicy::none:
      return "none";
    case ca::RevocationPolicy::crl_if_present:
      return "crl-if-present";
    case ca::RevocationPolicy::crl_required:
      return "crl-required";
  }
  return "";
}

std::string to_string(const ca::ListedCertificate& listed) {
  return listed.sha256.empty() ? to_hex(listed.serial) + "@" + listed.issuer.text()
                               : to_hex(listed.sha256);
}

ca::TrustAnchor read_trust_anchor(const ConfigurationSection& section) {
  using enum ca::RevocationPolicy;
  constexpr std::array kPolicies{none, crl_if_present, crl_required};
  const std::string name = read_name(section);
  const std::string pem = section.text("certificate");
  const auto certificates =
      checked(section, "certificate", [&] { return crypto::Certificate::parse_pem(pem); });
  const crypto::Certificate& certificate = certificates.front();
  if (certificates.size() != 1) {
    section.refuse("config.value", "certificate", "must be one certificate");
  }
  if (!certificate.is_ca()) {
    section.refuse("config.value", "certificate",
                   certificate.subject().text() + " is not a CA's certificate");
  }
  return {.name = name,
          .certificate = certificate,
          .revocation = one_of(section, "revocation", section.text("revocation"), kPolicies)};
}

void read_anchors(const ConfigurationSection& section, ca::Alias& alias) {
  read_ra_certificates(section, alias);
  alias.trust_anchors = section.texts("trust_anchors");
  alias.vendor_anchors = section.texts("vendor_anchors");
  alias.vendor_in_ra_mode = section.flag("vendor_in_ra_mode", false);
  check_vendor_mode(section, alias);
}

}  // namespace estia::provision
