// SPDX-License-Identifier: Apache-2.0
// What an alias says about renewals and new names.
#include <algorithm>

#include "server/provision/configuration_parts.h"

namespace estia::provision {
namespace {

using std::chrono::seconds;

constexpr seconds kLongestWindow{3650 * 86400};
constexpr seconds kLongestGrace{30 * 86400};

/// Names that nobody bounded must be meant.
void require_scope(const ConfigurationSection& section, std::string_view key,
                   const ca::Alias& alias) {
  if (alias.mode == ca::AliasMode::ra && alias.ra_scope.empty()) {
    section.refuse(
        "config.scope_missing", "ra_scope",
        "is needed with " + std::string(key) + ": say which names may be asked for, or \"any\"");
  }
}

/// The end entity is found by the request's names, so they must give its username.
void require_names_in_usernames(const ConfigurationSection& section, const ca::Alias& alias) {
  constexpr std::string_view kRandom = "${RANDOM}";
  if (alias.name_scheme == ca::NameScheme::random ||
      alias.name_prefix.find(kRandom) != std::string::npos ||
      alias.name_postfix.find(kRandom) != std::string::npos) {
    section.refuse("config.value", "allow_renewal_on_behalf",
                   "cannot work with random usernames: no request names an end entity again");
  }
}

}  // namespace

void read_renewal(const ConfigurationSection& section, ca::Alias& alias) {
  constexpr const char* kAtRenewal = "allow_change_subject_name_at_renewal";
  alias.allow_change_subject_name = section.flag("allow_change_subject_name", false);
  alias.allow_change_subject_name_at_renewal = section.flag(kAtRenewal, false);
  if (alias.allow_change_subject_name_at_renewal) {
    require_scope(section, kAtRenewal, alias);
  }
  alias.renewal_window = section.duration("renewal_window");
  if (alias.renewal_window &&
      (*alias.renewal_window < seconds(1) || *alias.renewal_window > kLongestWindow)) {
    section.refuse("config.value", "renewal_window", "must be 1s to 3650d");
  }
  alias.expired_grace = section.duration("expired_grace").value_or(seconds(0));
  if (alias.expired_grace > kLongestGrace) {
    section.refuse("config.value", "expired_grace", "must be at most 30d");
  }
  alias.allow_renewal_on_behalf = section.flag("allow_renewal_on_behalf", false);
  if (alias.allow_renewal_on_behalf) {
    require_scope(section, "allow_renewal_on_behalf", alias);
    // simplereenroll asks for the certificate alone: where a first enrolment needs more than that
    // from a registration authority, renewing for others must not need less.
    if (std::ranges::find(alias.authenticators, ca::Authenticator::client_certificate) ==
        alias.authenticators.end()) {
      section.refuse("config.value", "allow_renewal_on_behalf",
                     "needs \"client-certificate\" among the authenticators");
    }
    require_names_in_usernames(section, alias);
  }
}

}  // namespace estia::provision
