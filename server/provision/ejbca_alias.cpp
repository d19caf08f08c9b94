// SPDX-License-Identifier: Apache-2.0
#include "server/provision/ejbca_alias.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <tuple>

#include "crypto/base/error.h"
#include "server/provision/configuration_parts.h"

namespace estia::provision {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

EjbcaAlias::EjbcaAlias(std::string name, const std::map<std::string, JavaProperty>& settings,
                       Context& context)
    : settings_(settings), context_(context) {
  alias_.name = std::move(name);
}

ca::Alias EjbcaAlias::read() {
  read_mode();
  alias_.ca = mapped("defaultca", "ca", "ca", "");
  const bool vendors = read_vendors();
  if (alias_.mode == ca::AliasMode::client) {
    read_client(vendors);
  } else {
    read_ra();
  }
  const Setting same_key = setting("allowupdatewithsamekey", "true");
  alias_.allow_same_key = flag(same_key);
  took(same_key, std::string("allow_same_key = ") + (alias_.allow_same_key ? "true" : "false"));
  const Setting change = setting("allowchangesubjectname", "false");
  alias_.allow_change_subject_name = flag(change);
  if (change.present) {
    took(change, std::string("allow_change_subject_name = ") +
                     (alias_.allow_change_subject_name ? "true" : "false"));
  }
  read_serverkeygen();
  read_what_is_not_built();
  report_the_rest();
  if (alias_.mode == ca::AliasMode::ra) {
    differs(
        "a username is one end entity for the whole server: one that another CA or certificate "
        "profile has is refused here; name_prefix tells them apart");
  }
  if (alias_.mode == ca::AliasMode::client && alias_.allow_change_subject_name) {
    differs("new names also need override_subject or override_san of the certificate profile");
  }
  differs("channel_binding and retry_window have no counterpart in the dump: Estia's defaults");
  return alias_;
}

EjbcaAlias::Setting EjbcaAlias::setting(const char* key, const char* fallback) {
  read_.insert(key);
  const auto found = settings_.find(key);
  if (found == settings_.end()) {
    return {.key = key, .value = fallback, .present = false};
  }
  return {.key = key, .value = found->second.value, .present = true};
}

bool EjbcaAlias::flag(const Setting& setting) const {
  const std::string value = lower(setting.value);
  if (value != "true" && value != "false") {
    refuse("ejbca.value", setting, "must be true or false");
  }
  return value == "true";
}

std::string EjbcaAlias::mapped(const char* key, const char* kind, const char* ours,
                               const char* fallback) {
  const Setting id = setting(key, fallback);
  const std::string& name = name_of(id, kind, id.value);
  took(id, std::string(ours) + " = \"" + name + "\"");
  return name;
}

const std::string& EjbcaAlias::name_of(const Setting& setting, const char* kind,
                                       const std::string& id) {
  const auto found = context_.names.find({kind, id});
  if (found == context_.names.end()) {
    // All of them are told at once: who has twenty ids must not run the import twenty times.
    context_.unmapped.push_back(place(setting) + shown(setting) +
                                ": nothing says what this is here: --map '" + std::string(kind) +
                                ":" + id + "=NAME'");
    static const std::string kNothing = "unmapped";
    return kNothing;
  }
  context_.used.insert(found->first);
  return found->second;
}

std::string EjbcaAlias::shown(const Setting& setting) const {
  return alias_.name + "." + setting.key +
         (setting.present ? " = '" + setting.value + "'" : " (absent: '" + setting.value + "')");
}

std::string EjbcaAlias::place(const Setting& setting) const {
  const auto found = settings_.find(setting.key);
  return context_.source +
         (found == settings_.end() ? "" : ":" + std::to_string(found->second.line)) + ": ";
}

void EjbcaAlias::refuse(const char* id, const Setting& setting, const std::string& why) const {
  throw Error(ErrorCode::config, id, place(setting) + shown(setting) + ": " + why);
}

void EjbcaAlias::took(const Setting& setting, const std::string& what) {
  context_.report.took.push_back(shown(setting) + ": " + what);
}

void EjbcaAlias::not_taken(const Setting& setting, const std::string& why) {
  context_.report.not_taken.push_back(shown(setting) + ": " + why);
}

void EjbcaAlias::differs(const std::string& what) {
  context_.report.differs.push_back(alias_.name + ": " + what);
}

void EjbcaAlias::read_mode() {
  const Setting mode = setting("operationmode", "ra");
  if (mode.value == "client") {
    alias_.mode = ca::AliasMode::client;
  }
  took(mode,
       "mode = \"" + std::string(to_string(alias_.mode)) + "\"" +
           (mode.value != "ra" && mode.value != "client" ? ", as EJBCA counts everything but client"
                                                         : ""));
}

void EjbcaAlias::read_ra() {
  alias_.end_entity_profile = mapped("eeprofile", "eeprofile", "end_entity_profile", "1");
  alias_.certificate_profile = mapped("certprofile", "certprofile", "certificate_profile", "1");
  read_authentication();
  read_scheme();
}

void EjbcaAlias::read_authentication() {
  using enum ca::Authenticator;
  const Setting require = setting("requirecert", "true");
  const Setting user = setting("requsername", "");
  const Setting password = setting("reqpassword", "");
  const bool certificate = flag(require);
  user_ = user.value;
  if (!certificate && user_.empty()) {
    refuse("ejbca.open_to_all", require,
           "and no requsername: nobody would be asked for anything; Estia has no such alias");
  }
  if (!user_.empty() && !context_.scope) {
    refuse(
        "ejbca.scope_missing", user,
        "whoever holds this account may name devices: say which names by --ra-scope, or \"any\"");
  }
  const auto authenticator =
      user_.empty() ? client_certificate : (certificate ? certificate_and_basic : basic);
  alias_.authenticators = {authenticator};
  const std::string what = "authenticators = [\"" + std::string(to_string(authenticator)) + "\"]";
  took(require, what);
  if (user.present) {
    took(user, user_.empty() ? "no account" : what + ", and an [[account]] as a comment");
  }
  if (password.present || !user_.empty()) {
    // Its value is not shown, whatever it is.
    context_.report.not_taken.push_back(alias_.name + ".reqpassword: " +
                                        (user_.empty() ? "there is no requsername"
                                                       : "cannot be recovered from a dump: set "
                                                         "the account's password anew"));
  }
  if (certificate) {
    differs(
        "a client certificate makes a registration authority only with the purpose cmcRA or listed "
        "in ra_certificates; any other gets its own names again");
  }
  if (context_.scope) {
    alias_.ra_scope = *context_.scope;
    differs("registration authorities are bound to ra_scope = \"" + alias_.ra_scope.text() + "\"");
  } else {
    differs("no --ra-scope: registration authorities may ask for no names until ra_scope is set");
  }
}

void EjbcaAlias::read_scheme() {
  using enum ca::NameScheme;
  constexpr std::array<std::pair<std::string_view, ca::NameScheme>, 4> kSchemes{
      {{"DN", dn}, {"RANDOM", random}, {"FIXED", fixed}, {"USERNAME", username}}};
  // DN is what a new alias has, but one without the key gets random names.
  const Setting scheme = setting("ra.namegenerationscheme", "RANDOM");
  const auto* const found = std::ranges::find(kSchemes, std::string_view(scheme.value),
                                              &std::pair<std::string_view, ca::NameScheme>::first);
  if (found == kSchemes.end()) {
    refuse("ejbca.value", scheme, "must be DN, RANDOM, FIXED or USERNAME");
  }
  alias_.name_scheme = found->second;
  took(scheme, "name_scheme = \"" + std::string(to_string(alias_.name_scheme)) + "\"");
  if (alias_.name_scheme == dn || alias_.name_scheme == fixed) {
    const Setting parameters = setting("ra.namegenerationparameters", "CN");
    if (alias_.name_scheme == fixed && !parameters.present) {
      refuse("ejbca.value", parameters, "scheme FIXED needs the name here");
    }
    alias_.name_parameters =
        alias_.name_scheme == dn ? ejbca_list(parameters.value) : std::vector{parameters.value};
    took(parameters, "name_parameters");
  }
  for (const auto& [key, ours, member] :
       {std::tuple{"ra.namegenerationprefix", "name_prefix", &alias_.name_prefix},
        std::tuple{"ra.namegenerationpostfix", "name_postfix", &alias_.name_postfix}}) {
    const Setting affix = setting(key, "");
    *member = affix.value;
    if (affix.present) {
      took(affix, ours);
    }
  }
}

/// There the key goes out as PKCS #8 and nothing else.
void EjbcaAlias::read_serverkeygen() {
  const Setting on = setting("severkeygenenabled", "false");
  if (flag(on)) {
    alias_.serverkeygen = {ca::KeyPackage::pkcs8};
    took(on, "serverkeygen = [\"pkcs8\"]");
    differs("keys are made in the token and of the kinds that the certificate profile allows");
  } else if (on.present) {
    took(on, "nothing to do, it is off here too");
  }
}

void EjbcaAlias::read_what_is_not_built() {
  const Setting on = setting("supportproxyca", "false");
  if (flag(on)) {
    not_taken(on, "proxy CAs have no counterpart");
  } else if (on.present) {
    took(on, "nothing to do, it is off here too");
  }
}

/// Known settings that nothing above asked for: EJBCA does not look at them either.
void EjbcaAlias::report_the_rest() {
  for (const auto& [key, property] : settings_) {
    if (!read_.contains(key)) {
      context_.report.not_taken.push_back(alias_.name + "." + key +
                                          ": decides nothing, beside the alias's other settings");
    }
  }
}

}  // namespace estia::provision
