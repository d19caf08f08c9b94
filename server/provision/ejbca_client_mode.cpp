// SPDX-License-Identifier: Apache-2.0
// How devices prove who they are in EJBCA's client mode: by codes, or in vendor mode by the
// certificates they were made with.
#include <algorithm>

#include "server/provision/configuration_parts.h"
#include "server/provision/ejbca_alias.h"

namespace estia::provision {

void EjbcaAlias::read_client(bool vendors) {
  if (!vendors) {
    read_module();
  }
  const Setting field = setting("extractusernamecomponent", "DN");
  alias_.username_field = field.value;
  took(field, "username_field");
  differs("end entities of other CAs than '" + alias_.ca +
          "' are refused here until their CA is listed in further_cas");
}

void EjbcaAlias::read_module() {
  using enum ca::CodeSource;
  alias_.authenticators = {ca::Authenticator::code};
  const Setting module = setting("authenticationmodule", "");
  if (module.value == "DnPartPwd") {
    alias_.code_source = dn_part;
    const Setting field = setting("extractdnpartpwdcomponent", "DN");
    alias_.code_field = field.value;
    took(field, "code_field");
  } else if (module.value == "HttpBasicAuth") {
    alias_.code_source = basic;
  } else if (!module.value.empty() && module.value != "ChallengePwd") {
    refuse("ejbca.value", module, "must be ChallengePwd, DnPartPwd or HttpBasicAuth");
  }
  took(module, "code_source = \"" + std::string(to_string(alias_.code_source)) + "\"");
  if (module.value.empty()) {
    // Never weaker than it was: nobody has a code until an operator makes one.
    differs(
        "no authenticationmodule: here a first enrolment always needs a code; it is looked for in "
        "challengePassword, where every client can put it, and nobody gets in without one");
  }
}

bool EjbcaAlias::read_vendors() {
  const Setting on = setting("vendorcertificatemode", "false");
  const bool wanted = flag(on);
  if (wanted && alias_.mode == ca::AliasMode::client) {
    // As there, it takes the place of the authentication module.
    alias_.authenticators = {ca::Authenticator::vendor_certificate};
    took(on, "authenticators = [\"vendor-certificate\"]");
    read_vendor_anchors();
    return true;
  }
  if (wanted) {
    not_taken(on,
              "in RA mode it would make end entities that nobody registered, which EJBCA advises "
              "against too; if that is meant, set vendor_in_ra_mode by hand");
  } else if (on.present) {
    took(on, "nothing to do, it is off here too");
  }
  leave_vendor_lists();
  return false;
}

/// Older dumps have another key; where both stand, the newer one counts, as there.
void EjbcaAlias::read_vendor_anchors() {
  const bool newer = settings_.contains("vendorcaids") || !settings_.contains("vendorca");
  const Setting list = setting(newer ? "vendorcaids" : "vendorca", "");
  for (const std::string& id : ejbca_list(list.value)) {
    if (id.empty()) {
      continue;
    }
    const std::string& anchor = name_of(list, "vendorca", id);
    if (std::ranges::find(alias_.vendor_anchors, anchor) == alias_.vendor_anchors.end()) {
      alias_.vendor_anchors.push_back(anchor);
    }
  }
  took(list, alias_.vendor_anchors.empty() ? "no vendor_anchors" : "vendor_anchors");
  if (alias_.vendor_anchors.empty()) {
    differs("no vendor CA is listed: nobody gets in until vendor_anchors names one");
  }
  differs(
      "a vendor's certificate opens the door once: while its end entity holds a certificate of "
      "ours that is valid or on hold, that one has to be renewed");
  differs(
      "the request's subject is always the vendor certificate's; ChangeSubjectName carries other "
      "names");
}

void EjbcaAlias::leave_vendor_lists() {
  for (const char* key : {"vendorcaids", "vendorca"}) {
    const Setting list = setting(key, "");
    if (list.present && list.value.empty()) {
      took(list, "nothing to do");
    } else if (list.present) {
      not_taken(list, "vendor_anchors need vendor mode");
    }
  }
}

}  // namespace estia::provision
