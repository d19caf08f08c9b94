// SPDX-License-Identifier: Apache-2.0
#include "server/provision/configuration_keys.h"

namespace estia::provision {

const std::vector<ConfigurationKey>& configuration_keys() {
  constexpr bool kRequired = true;
  static const std::vector<ConfigurationKey> keys = {
      {"ca", "name", kRequired},
      {"ca", "key", kRequired},
      {"ca", "certificates", kRequired},
      {"ca", "unique_subject"},
      {"ca", "unique_key"},
      {"ca", "enforce_key_renewal"},

      {"end_entity_profile", "name", kRequired},
      {"end_entity_profile", "required"},
      {"end_entity_profile", "optional"},
      {"end_entity_profile", "fixed"},
      {"end_entity_profile", "san"},
      {"end_entity_profile", "max_san"},

      {"certificate_profile", "name", kRequired},
      {"certificate_profile", "validity", kRequired},
      {"certificate_profile", "backdate"},
      {"certificate_profile", "key_types", kRequired},
      {"certificate_profile", "key_usage", kRequired},
      {"certificate_profile", "extended_key_usage"},
      {"certificate_profile", "ca"},
      {"certificate_profile", "path_length"},
      {"certificate_profile", "crl_distribution_points"},
      {"certificate_profile", "ca_issuers"},
      {"certificate_profile", "ocsp"},
      {"certificate_profile", "override_subject"},
      {"certificate_profile", "override_san"},
      {"certificate_profile", "override_key_usage"},
      {"certificate_profile", "override_validity"},
      {"certificate_profile", "override_extensions"},
      {"certificate_profile", "strict_override"},
      {"certificate_profile", "single_active"},

      {"trust_anchor", "name", kRequired},
      {"trust_anchor", "certificate", kRequired},
      {"trust_anchor", "revocation", kRequired},

      {"alias", "name", kRequired},
      {"alias", "ca", kRequired},
      {"alias", "mode"},
      {"alias", "further_cas"},
      {"alias", "end_entity_profile"},
      {"alias", "certificate_profile"},
      {"alias", "authenticators"},
      {"alias", "ra_scope"},
      {"alias", "ra_certificates"},
      {"alias", "trust_anchors"},
      {"alias", "vendor_anchors"},
      {"alias", "vendor_in_ra_mode"},
      {"alias", "channel_binding"},
      {"alias", "code_source"},
      {"alias", "code_field"},
      {"alias", "username_field"},
      {"alias", "name_scheme"},
      {"alias", "name_parameters"},
      {"alias", "name_prefix"},
      {"alias", "name_postfix"},
      {"alias", "allow_same_key"},
      {"alias", "retry_window"},
      {"alias", "allow_change_subject_name"},
      {"alias", "allow_change_subject_name_at_renewal"},
      {"alias", "renewal_window"},
      {"alias", "expired_grace"},
      {"alias", "allow_renewal_on_behalf"},
      {"alias", "serverkeygen"},
      {"alias", "serverkeygen_other_key"},

      {"account", "alias", kRequired},
      {"account", "user", kRequired},
      {"account", "password_file"},
      {"account", "generated"},
  };
  return keys;
}

}  // namespace estia::provision
