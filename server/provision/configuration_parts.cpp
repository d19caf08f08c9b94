// SPDX-License-Identifier: Apache-2.0
#include "server/provision/configuration_parts.h"

#include <algorithm>
#include <array>
#include <set>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/keys/key_spec.h"
#include "server/ca/wishes.h"
#include "server/provision/configuration_rules.h"
#include "server/provision/key_purposes.h"
#include "server/provision/key_uri_text.h"

namespace estia::provision {
namespace {

using std::chrono::seconds;
using Kind = crypto::GeneralName::Kind;

constexpr std::int64_t kMostSan = 100;  // what crypto::GeneralNames takes
constexpr seconds kDefaultBackdate{300};
constexpr seconds kLongestBackdate{86400 * 7};

void check_attribute(const ConfigurationSection& section, std::string_view key,
                     const std::string& attribute, const std::string& value) {
  const auto name = checked(section, key, [&] {
    return crypto::Name::from_attributes(
        {{.oid = {}, .short_name = attribute, .value = value, .rdn = 0}});
  });
  if (name.attributes().front().short_name != attribute) {
    section.refuse("config.value", key,
                   "write " + name.attributes().front().short_name + " for " + attribute);
  }
}

std::vector<std::string> read_uris(const ConfigurationSection& section, std::string_view key) {
  std::vector<std::string> uris = section.texts(key);
  for (const std::string& uri : uris) {
    const bool printable = std::ranges::all_of(uri, [](char c) { return c > ' ' && c < '\x7F'; });
    if (!printable || !uri.starts_with("http://") ||
        uri.size() == std::string_view("http://").size()) {
      section.refuse("config.value", key,
                     "'" + uri +
                         "' must be an http:// URI: what is fetched there is signed, and "
                         "TLS would need it first");
    }
  }
  return uris;
}

void check_ca_bits(const ConfigurationSection& section, const ca::CertificateProfile& profile) {
  const auto has_bit = [&](std::string_view bit) {
    return std::ranges::find(profile.key_usage, bit) != profile.key_usage.end();
  };
  if (!profile.ca && (has_bit("keyCertSign") || has_bit("cRLSign"))) {
    section.refuse("config.value", "key_usage", "keyCertSign and cRLSign need ca = true");
  }
  if (profile.ca && !has_bit("keyCertSign")) {
    section.refuse("config.value", "key_usage", "a CA's certificate needs keyCertSign");
  }
  if (!profile.ca && section.has("path_length")) {
    section.refuse("config.value", "path_length", "is for ca = true only");
  }
}

void read_overrides(const ConfigurationSection& section, ca::CertificateProfile& profile) {
  profile.override_subject = section.flag("override_subject", false);
  profile.override_san = section.flag("override_san", false);
  profile.override_key_usage = section.flag("override_key_usage", false);
  profile.override_validity = section.flag("override_validity", false);
  profile.strict_override = section.flag("strict_override", false);
  profile.override_extensions = section.texts("override_extensions");
  for (const std::string& oid : profile.override_extensions) {
    static_cast<void>(checked(section, "override_extensions", [&] { return der::oid(oid); }));
    if (ca::is_made_by_ca(oid)) {
      section.refuse("config.value", "override_extensions", oid + " is for the CA to make");
    }
  }
}

Kind san_kind(const ConfigurationSection& section, const std::string& text) {
  constexpr std::array kKinds{Kind::dns, Kind::ip, Kind::email, Kind::uri};
  for (const Kind kind : kKinds) {
    if (crypto::to_string(kind) == text) {
      return kind;
    }
  }
  section.refuse("config.value", "san", "'" + text + "' must be one of dns, ip, email, uri");
}

}  // namespace

std::string read_name(const ConfigurationSection& section) {
  constexpr std::size_t kLongest = 64;
  std::string name = section.text("name");
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  // "." and ".." are steps in a path, not labels of one.
  if (!plain || name.size() > kLongest || name.find_first_not_of('.') == std::string::npos) {
    section.refuse("config.value", "name", "must be 1 to 64 of A-Z a-z 0-9 . _ -");
  }
  return name;
}

ca::CertificationAuthority read_ca(const ConfigurationSection& section) {
  ca::CertificationAuthority ca{
      .name = read_name(section), .key_uri = section.text("key"), .chain = {}};
  if (const auto fault = key_uri_fault(ca.key_uri)) {
    section.refuse("config.key_uri", "key", *fault);
  }
  const std::string pem = section.text("certificates");
  ca.chain = checked(section, "certificates", [&] { return crypto::Certificate::parse_pem(pem); });
  for (std::size_t i = 0; i < ca.chain.size(); ++i) {
    const crypto::Certificate& certificate = ca.chain[i];
    const bool last = i + 1 == ca.chain.size();
    const crypto::Certificate& issuer = last ? certificate : ca.chain[i + 1];
    if (!certificate.is_ca()) {
      section.refuse("config.chain", "certificates",
                     certificate.subject().text() + " is not a CA's certificate");
    }
    if (!(certificate.issuer() == issuer.subject()) ||
        !certificate.signed_by(issuer.public_key())) {
      section.refuse("config.chain", "certificates",
                     certificate.subject().text() + " is not issued by " +
                         (last ? "itself: the chain must end with the root"
                               : issuer.subject().text() + ", which follows it"));
    }
  }
  ca.unique_subject = section.flag("unique_subject", true);
  ca.unique_key = section.flag("unique_key", true);
  ca.enforce_key_renewal = section.flag("enforce_key_renewal", false);
  return ca;
}

ca::EndEntityProfile read_end_entity_profile(const ConfigurationSection& section) {
  ca::EndEntityProfile profile{.name = read_name(section), .subject = {}, .san = {}};
  std::set<std::string> seen;
  const auto add = [&](std::string_view key, ca::EndEntityProfile::SubjectRule rule,
                       const std::string& sample) {
    check_attribute(section, key, rule.attribute, sample);
    if (!seen.insert(rule.attribute).second) {
      section.refuse("config.duplicate", key, rule.attribute + " has two rules");
    }
    profile.subject.push_back(std::move(rule));
  };
  for (const std::string_view key : {"required", "optional"}) {
    for (const std::string& attribute : section.texts(key)) {
      add(key, {.attribute = attribute, .required = key == "required", .fixed = std::nullopt},
          attribute == "C" ? "XX" : "x");
    }
  }
  for (const auto& [attribute, value] : section.text_table("fixed")) {
    add("fixed", {.attribute = attribute, .required = false, .fixed = value}, value);
  }
  for (const std::string& kind : section.texts("san")) {
    profile.san.push_back(san_kind(section, kind));
  }
  if (profile.subject.empty() && profile.san.empty()) {
    section.refuse("config.value", "required", "the profile allows no name at all");
  }
  profile.max_san = static_cast<std::size_t>(
      section.integer("max_san", 0, kMostSan, static_cast<std::int64_t>(profile.max_san)));
  return profile;
}

ca::CertificateProfile read_certificate_profile(const ConfigurationSection& section) {
  ca::CertificateProfile profile;
  profile.name = read_name(section);
  profile.validity = section.duration("validity").value_or(seconds(0));
  profile.backdate = section.duration("backdate").value_or(kDefaultBackdate);
  if (profile.validity == seconds(0)) {
    section.refuse("config.value", "validity", "must be longer than nothing");
  }
  if (profile.backdate > kLongestBackdate) {
    section.refuse("config.value", "backdate", "must be at most 7d");
  }
  profile.key_types = section.texts("key_types");
  if (profile.key_types.empty()) {
    section.refuse("config.value", "key_types", "must not be empty");
  }
  for (const std::string& type : profile.key_types) {
    static_cast<void>(checked(section, "key_types", [&] { return crypto::KeySpec::parse(type); }));
  }
  profile.key_usage = section.texts("key_usage");
  if (profile.key_usage.empty()) {
    section.refuse("config.value", "key_usage", "must not be empty");
  }
  static_cast<void>(
      checked(section, "key_usage", [&] { return crypto::key_usage(profile.key_usage); }));
  for (const std::string& written : section.texts("extended_key_usage")) {
    const auto oid = key_purpose_oid(written);
    if (!oid) {
      section.refuse("config.value", "extended_key_usage",
                     "'" + written + "' is neither an OID nor one of " + known_key_purposes());
    }
    if (std::ranges::find(profile.extended_key_usage, *oid) != profile.extended_key_usage.end()) {
      section.refuse("config.duplicate", "extended_key_usage", "'" + written + "' stands twice");
    }
    profile.extended_key_usage.push_back(*oid);
  }
  profile.ca = section.flag("ca", false);
  constexpr std::int64_t kLongestPath = 20;
  profile.path_length = static_cast<int>(section.integer("path_length", 0, kLongestPath, -1));
  check_ca_bits(section, profile);
  profile.crl_distribution_points = read_uris(section, "crl_distribution_points");
  profile.ca_issuers = read_uris(section, "ca_issuers");
  profile.ocsp = read_uris(section, "ocsp");
  read_overrides(section, profile);
  profile.single_active = section.flag("single_active", false);
  return profile;
}

}  // namespace estia::provision
