// SPDX-License-Identifier: Apache-2.0
#include "server/provision/configuration_parts.h"

#include <algorithm>
#include <array>
#include <set>

#include "crypto/base/error.h"
#include "crypto/keys/key_spec.h"
#include "server/provision/key_purposes.h"
#include "server/provision/key_uri_text.h"

namespace estia::provision {
namespace {

using std::chrono::seconds;
using Kind = crypto::GeneralName::Kind;

constexpr std::int64_t kMostSan = 100;  // what crypto::GeneralNames takes
constexpr seconds kDefaultBackdate{300};
constexpr seconds kLongestBackdate{86400 * 7};
constexpr seconds kLongestRetryWindow{86400};

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

/// Calls `check` and turns what it throws into a refusal of this key.
template <class Check>
auto checked(const ConfigurationSection& section, std::string_view key, Check&& check) {
  try {
    return check();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::config && error.code() != ErrorCode::malformed) {
      throw;
    }
    section.refuse("config.value", key, error.what());
  }
}

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

Kind san_kind(const ConfigurationSection& section, const std::string& text) {
  constexpr std::array kinds{Kind::dns, Kind::ip, Kind::email, Kind::uri};
  for (const Kind kind : kinds) {
    if (crypto::to_string(kind) == text) {
      return kind;
    }
  }
  section.refuse("config.value", "san", "'" + text + "' must be one of dns, ip, email, uri");
}

void check_alias_name(const ConfigurationSection& section, std::string_view name) {
  // RFC 7030 3.2.2 and RFC 8295: a label that is an operation's name would make two paths one.
  constexpr std::array<std::string_view, 12> kOperations{
      "cacerts", "simpleenroll", "simplereenroll", "fullcmc",       "serverkeygen", "csrattrs",
      "pal",     "eecerts",      "crls",           "symmetrickeys", "firmware",     "tamp"};
  if (std::ranges::find(kOperations, name) != kOperations.end()) {
    section.refuse("config.alias_name", "name", "is the name of an EST operation");
  }
}

std::vector<ca::Authenticator> read_authenticators(const ConfigurationSection& section) {
  std::vector<ca::Authenticator> authenticators;
  for (const std::string& text : section.texts("authenticators")) {
    if (text == to_string(ca::Authenticator::basic)) {
      authenticators.push_back(ca::Authenticator::basic);
    } else if (text == to_string(ca::Authenticator::client_certificate)) {
      authenticators.push_back(ca::Authenticator::client_certificate);
    } else {
      section.refuse("config.value", "authenticators",
                     "'" + text + "' must be one of basic, client-certificate");
    }
  }
  if (authenticators.empty()) {
    section.refuse("config.value", "authenticators", "must not be empty: nobody could enrol");
  }
  return authenticators;
}

ca::ChannelBindingPolicy read_channel_binding(const ConfigurationSection& section) {
  using Policy = ca::ChannelBindingPolicy;
  const auto text = section.optional_text("channel_binding");
  if (!text) {
    return Policy::verify_if_present;  // EST-3.5-a
  }
  for (const Policy policy : {Policy::off, Policy::verify_if_present, Policy::required}) {
    if (*text == to_string(policy)) {
      return policy;
    }
  }
  section.refuse("config.value", "channel_binding",
                 "must be one of off, verify-if-present, required");
}

ca::NameScope read_scope(const ConfigurationSection& section,
                         const std::vector<ca::Authenticator>& authenticators) {
  const auto text = section.optional_text("ra_scope");
  if (text) {
    return checked(section, "ra_scope", [&] { return ca::NameScope::parse(*text); });
  }
  // An account is a registration authority, and one without bounds must be meant.
  if (std::ranges::find(authenticators, ca::Authenticator::basic) != authenticators.end()) {
    section.refuse("config.scope_missing", "ra_scope",
                   "is needed with basic: say which names accounts may ask for, or \"any\"");
  }
  return {};
}

}  // namespace

std::string_view to_string(ca::Authenticator authenticator) noexcept {
  switch (authenticator) {
    case ca::Authenticator::client_certificate:
      return "client-certificate";
    case ca::Authenticator::basic:
      return "basic";
  }
  return "";
}

std::string_view to_string(ca::ChannelBindingPolicy policy) noexcept {
  switch (policy) {
    case ca::ChannelBindingPolicy::off:
      return "off";
    case ca::ChannelBindingPolicy::verify_if_present:
      return "verify-if-present";
    case ca::ChannelBindingPolicy::required:
      return "required";
  }
  return "";
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
  return profile;
}

ca::Alias read_alias(const ConfigurationSection& section) {
  ca::Alias alias;
  alias.name = read_name(section);
  check_alias_name(section, alias.name);
  alias.ca = section.text("ca");
  alias.end_entity_profile = section.text("end_entity_profile");
  alias.certificate_profile = section.text("certificate_profile");
  alias.authenticators = read_authenticators(section);
  alias.ra_scope = read_scope(section, alias.authenticators);
  alias.channel_binding = read_channel_binding(section);
  alias.username_field = section.optional_text("username_field").value_or(alias.username_field);
  alias.allow_same_key = section.flag("allow_same_key", alias.allow_same_key);
  alias.retry_window = section.duration("retry_window").value_or(alias.retry_window);
  if (alias.retry_window > kLongestRetryWindow) {
    section.refuse("config.value", "retry_window", "must be at most 1d");
  }
  return alias;
}

AccountEntry read_account(const ConfigurationSection& section) {
  constexpr std::size_t kLongest = 64;
  AccountEntry account{.alias = section.text("alias"),
                       .user = section.text("user"),
                       .password_file = section.optional_text("password_file"),
                       .place = section.place()};
  // RFC 7617 2: the first colon ends the user; control characters are not allowed.
  const bool plain =
      std::ranges::all_of(account.user, [](char c) { return c > ' ' && c < '\x7F' && c != ':'; });
  if (!plain || account.user.size() > kLongest) {
    section.refuse("config.value", "user", "must be 1 to 64 printable ASCII characters, no colon");
  }
  return account;
}

}  // namespace estia::provision
