// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

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
