// SPDX-License-Identifier: Apache-2.0
// What an alias says about renewals and new names.
#include "server/ca/naming.h"
#include "server/provision/configuration_parts.h"
#include "server/provision/configuration_rules.h"

namespace estia::provision {
namespace {

using std::chrono::seconds;

constexpr seconds kLongestWindow{3650 * 86400};

}  // namespace

void read_renewal(const ConfigurationSection& section, ca::Alias& alias) {
  constexpr const char* kWhich = "may be asked for";
  constexpr const char* kAtRenewal = "allow_change_subject_name_at_renewal";
  alias.allow_change_subject_name = section.flag("allow_change_subject_name", false);
  alias.allow_change_subject_name_at_renewal = section.flag(kAtRenewal, false);
  if (alias.allow_change_subject_name_at_renewal) {
    require_scope(section, alias, kAtRenewal, kWhich);
  }
  alias.renewal_window = section.duration("renewal_window");
  if (alias.renewal_window &&
      (*alias.renewal_window < seconds(1) || *alias.renewal_window > kLongestWindow)) {
    section.refuse("config.value", "renewal_window", "must be 1s to 3650d");
  }
  alias.expired_grace = section.duration("expired_grace").value_or(seconds(0));
  if (alias.expired_grace > ca::kLongestExpiredGrace) {
    section.refuse("config.value", "expired_grace", "must be at most 30d");
  }
  alias.allow_renewal_on_behalf = section.flag("allow_renewal_on_behalf", false);
  if (alias.allow_renewal_on_behalf) {
    require_scope(section, alias, "allow_renewal_on_behalf", kWhich);
    // simplereenroll asks for the certificate alone: where a first enrolment needs more than that
    // from a registration authority, renewing for others must not need less.
    if (!alias.accepts(ca::Authenticator::client_certificate)) {
      section.refuse("config.value", "allow_renewal_on_behalf",
                     "needs \"client-certificate\" among the authenticators");
    }
    // The end entity is found by the request's names, so they must give its username.
    if (ca::has_random_usernames(alias)) {
      section.refuse("config.value", "allow_renewal_on_behalf",
                     "cannot work with random usernames: no request names an end entity again");
    }
  }
}

}  // namespace estia::provision
