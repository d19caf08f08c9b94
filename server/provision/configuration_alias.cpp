// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "crypto/x509/name.h"
#include "server/ca/naming.h"
#include "server/provision/configuration_parts.h"
#include "server/provision/configuration_rules.h"

namespace estia::provision {
namespace {

using std::chrono::seconds;

constexpr seconds kLongestRetryWindow{86400};

void check_alias_name(const ConfigurationSection& section, std::string_view name) {
  // RFC 7030 3.2.2 and RFC 8295: a label that is an operation's name would make two paths one.
  constexpr std::array<std::string_view, 12> kOperations{
      "cacerts", "simpleenroll", "simplereenroll", "fullcmc",       "serverkeygen", "csrattrs",
      "pal",     "eecerts",      "crls",           "symmetrickeys", "firmware",     "tamp"};
  if (std::ranges::find(kOperations, name) != kOperations.end()) {
    section.refuse("config.alias_name", "name", "is the name of an EST operation");
  }
}

bool contains(const std::vector<ca::Authenticator>& authenticators, ca::Authenticator wanted) {
  return std::ranges::find(authenticators, wanted) != authenticators.end();
}

/// EJBCA's defaults: a certificate in RA mode (requirecert), the code in client mode.
std::vector<ca::Authenticator> read_authenticators(const ConfigurationSection& section,
                                                   ca::AliasMode mode) {
  using enum ca::Authenticator;
  constexpr std::array kAll{client_certificate, basic, certificate_and_basic, code,
                            vendor_certificate};
  if (!section.has("authenticators")) {
    return {mode == ca::AliasMode::client ? code : client_certificate};
  }
  std::vector<ca::Authenticator> authenticators;
  for (const std::string& text : section.texts("authenticators")) {
    authenticators.push_back(one_of(section, "authenticators", text, kAll));
  }
  if (authenticators.empty()) {
    section.refuse("config.value", "authenticators", "must not be empty: nobody could enrol");
  }
  const bool accounts =
      contains(authenticators, basic) || contains(authenticators, certificate_and_basic);
  if (mode == ca::AliasMode::client && accounts) {
    section.refuse("config.value", "authenticators",
                   "accounts are registration authorities, for mode = \"ra\" only");
  }
  if (mode == ca::AliasMode::ra && contains(authenticators, code)) {
    section.refuse("config.value", "authenticators", "code is for mode = \"client\" only");
  }
  return authenticators;
}

void read_scope(const ConfigurationSection& section, ca::Alias& alias) {
  if (const auto text = section.optional_text("ra_scope")) {
    alias.ra_scope = checked(section, "ra_scope", [&] { return ca::NameScope::parse(*text); });
  }
  // An account is a registration authority.
  if (alias.takes_accounts()) {
    require_scope(section, alias, "basic", "accounts may ask for");
  }
}

/// A field of a subject, or DN for the whole of it; returns the OID (empty for DN). A field has to
/// be written as it is looked up, or it would be looked for in vain: CN, not commonName.
std::string check_field(const ConfigurationSection& section, std::string_view key,
                        const std::string& field) {
  if (field == ca::kWholeSubject) {
    return {};
  }
  const std::string attribute(ca::attribute_of(field));
  const crypto::NameAttribute known = checked(section, key, [&] {
    return crypto::Name::from_text(attribute + (field == "C" ? "=XX" : "=x")).attributes().front();
  });
  if (attribute != known.short_name && attribute != known.oid) {
    section.refuse("config.value", key, field + " must be written " + known.short_name);
  }
  return known.oid;
}

void read_naming(const ConfigurationSection& section, ca::Alias& alias) {
  using enum ca::NameScheme;
  constexpr std::array kSchemes{dn, random, fixed, username};
  alias.name_scheme = read_choice(section, "name_scheme", kSchemes, alias.name_scheme);
  if (section.has("name_parameters")) {
    alias.name_parameters = section.texts("name_parameters");
  }
  alias.name_prefix = section.optional_text("name_prefix").value_or("");
  alias.name_postfix = section.optional_text("name_postfix").value_or("");
  const bool takes_parameters = alias.name_scheme == dn || alias.name_scheme == fixed;
  if (!takes_parameters && section.has("name_parameters")) {
    section.refuse("config.value", "name_parameters", "are for the schemes dn and fixed");
  }
  if (alias.name_scheme == fixed &&
      (!section.has("name_parameters") || alias.name_parameters.size() != 1)) {
    section.refuse("config.value", "name_parameters", "must be the one name, for scheme fixed");
  }
  if (alias.name_scheme == dn) {
    if (alias.name_parameters.empty()) {
      section.refuse("config.value", "name_parameters", "must name a field of the subject");
    }
    for (const std::string& field : alias.name_parameters) {
      static_cast<void>(check_field(section, "name_parameters", field));
    }
  }
}

void read_codes(const ConfigurationSection& section, ca::Alias& alias) {
  using enum ca::CodeSource;
  constexpr std::array kSources{challenge_password, dn_part, basic};
  alias.code_source = read_choice(section, "code_source", kSources, alias.code_source);
  alias.code_field = section.optional_text("code_field").value_or("");
  alias.username_field = section.optional_text("username_field").value_or(alias.username_field);
  const std::string named = check_field(section, "username_field", alias.username_field);
  if ((alias.code_source == dn_part) != section.has("code_field")) {
    section.refuse("config.value", "code_field", "goes with code_source = \"dn-part\"");
  }
  if (section.has("code_field")) {
    const std::string held = check_field(section, "code_field", alias.code_field);
    if (held.empty() || held == named) {
      section.refuse("config.value", "code_field", "must be a field of its own");
    }
  }
}

/// A code inside the request is looked for once all before it gave nothing, so nothing can follow.
void check_order(const ConfigurationSection& section, const ca::Alias& alias) {
  const auto& list = alias.authenticators;
  if (alias.code_source != ca::CodeSource::basic && alias.accepts(ca::Authenticator::code) &&
      list.back() != ca::Authenticator::code) {
    section.refuse("config.value", "authenticators",
                   "code must come last where it stands inside the request");
  }
}

/// Keys of the other mode would be read as if they did something.
void refuse_keys_of_other_mode(const ConfigurationSection& section, ca::AliasMode mode) {
  constexpr std::array<std::string_view, 4> kClient{"further_cas", "code_source", "code_field",
                                                    "username_field"};
  constexpr std::array<std::string_view, 9> kRa{
      "name_scheme",   "name_parameters",   "name_prefix",
      "name_postfix",  "ra_scope",          "ra_certificates",
      "trust_anchors", "vendor_in_ra_mode", "allow_renewal_on_behalf"};
  const auto refuse_any = [&](const auto& keys, const char* other) {
    for (const std::string_view key : keys) {
      if (section.has(key)) {
        section.refuse("config.value", key, std::string("is for mode = \"") + other + "\" only");
      }
    }
  };
  if (mode == ca::AliasMode::client) {
    refuse_any(kRa, "ra");
  } else {
    refuse_any(kClient, "client");
  }
}

}  // namespace

void require_scope(const ConfigurationSection& section, const ca::Alias& alias,
                   std::string_view key, std::string_view which) {
  if (alias.mode == ca::AliasMode::ra && alias.ra_scope.empty()) {
    section.refuse("config.scope_missing", "ra_scope",
                   "is needed with " + std::string(key) + ": say which names " +
                       std::string(which) + ", or \"any\"");
  }
}

std::string_view to_string(ca::AliasMode mode) noexcept {
  return mode == ca::AliasMode::client ? "client" : "ra";
}

std::string_view to_string(ca::Authenticator authenticator) noexcept {
  switch (authenticator) {
    case ca::Authenticator::client_certificate:
      return "client-certificate";
    case ca::Authenticator::basic:
      return "basic";
    case ca::Authenticator::certificate_and_basic:
      return "client-certificate+basic";
    case ca::Authenticator::code:
      return "code";
    case ca::Authenticator::vendor_certificate:
      return "vendor-certificate";
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

std::string_view to_string(ca::NameScheme scheme) noexcept {
  switch (scheme) {
    case ca::NameScheme::dn:
      return "dn";
    case ca::NameScheme::random:
      return "random";
    case ca::NameScheme::fixed:
      return "fixed";
    case ca::NameScheme::username:
      return "username";
  }
  return "";
}

std::string_view to_string(ca::CodeSource source) noexcept {
  switch (source) {
    case ca::CodeSource::challenge_password:
      return "challenge-password";
    case ca::CodeSource::dn_part:
      return "dn-part";
    case ca::CodeSource::basic:
      return "basic";
  }
  return "";
}

ca::Alias read_alias(const ConfigurationSection& section) {
  using enum ca::ChannelBindingPolicy;
  constexpr std::array kModes{ca::AliasMode::ra, ca::AliasMode::client};
  constexpr std::array kPolicies{off, verify_if_present, required};
  ca::Alias alias;
  alias.name = read_name(section);
  check_alias_name(section, alias.name);
  alias.ca = section.text("ca");
  alias.mode = read_choice(section, "mode", kModes, alias.mode);
  refuse_keys_of_other_mode(section, alias.mode);
  alias.further_cas = section.texts("further_cas");
  alias.end_entity_profile = section.optional_text("end_entity_profile").value_or("");
  alias.certificate_profile = section.optional_text("certificate_profile").value_or("");
  alias.authenticators = read_authenticators(section, alias.mode);
  read_scope(section, alias);
  alias.channel_binding =
      read_choice(section, "channel_binding", kPolicies, alias.channel_binding);  // EST-3.5-a
  read_codes(section, alias);
  check_order(section, alias);
  read_naming(section, alias);
  read_anchors(section, alias);
  alias.allow_same_key = section.flag("allow_same_key", alias.allow_same_key);
  alias.retry_window = section.duration("retry_window").value_or(alias.retry_window);
  if (alias.retry_window > kLongestRetryWindow) {
    section.refuse("config.value", "retry_window", "must be at most 1d");
  }
  read_renewal(section, alias);
  read_serverkeygen(section, alias);
  return alias;
}

AccountEntry read_account(const ConfigurationSection& section) {
  constexpr std::size_t kLongest = 64;
  AccountEntry account{.alias = section.text("alias"),
                       .user = section.text("user"),
                       .password_file = section.optional_text("password_file"),
                       .generated = section.flag("generated", false),
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
