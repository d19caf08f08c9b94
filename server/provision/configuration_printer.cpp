// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "server/provision/configuration_document.h"
#include "server/provision/configuration_parts.h"
#include "server/provision/configuration_section.h"
#include "server/provision/document_table.h"
#include "server/provision/key_purposes.h"

namespace estia::provision {
namespace {

/// Writes one [[table]]; lists that are empty are left out, as parse reads them.
class TableWriter final {
 public:
  explicit TableWriter(std::string_view kind) : out_("[[" + std::string(kind) + "]]\n") {}

  void text(std::string_view key, std::string_view value) { raw(key, toml_string(value)); }
  void raw(std::string_view key, std::string_view value) {
    out_ += std::string(key) + " = " + std::string(value) + "\n";
  }
  void flag(std::string_view key, bool value) { raw(key, value ? "true" : "false"); }
  void flag_if(std::string_view key, bool value) {
    if (value) {
      flag(key, true);
    }
  }
  void text_if(std::string_view key, std::string_view value) {
    if (!value.empty()) {
      text(key, value);
    }
  }
  void texts(std::string_view key, const std::vector<std::string>& values) {
    if (values.empty()) {
      return;
    }
    std::string list;
    for (const std::string& value : values) {
      list += (list.empty() ? "" : ", ") + toml_string(value);
    }
    raw(key, "[" + list + "]");
  }
  [[nodiscard]] std::string finish() && { return std::move(out_); }

 private:
  std::string out_;
};

void print_naming(TableWriter& table, const ca::Alias& alias) {
  table.text("name_scheme", to_string(alias.name_scheme));
  if (alias.name_scheme == ca::NameScheme::dn || alias.name_scheme == ca::NameScheme::fixed) {
    table.texts("name_parameters", alias.name_parameters);
  }
  table.text_if("name_prefix", alias.name_prefix);
  table.text_if("name_postfix", alias.name_postfix);
}

void print_renewal(TableWriter& table, const ca::Alias& alias) {
  table.flag_if("allow_change_subject_name", alias.allow_change_subject_name);
  table.flag_if("allow_change_subject_name_at_renewal", alias.allow_change_subject_name_at_renewal);
  if (alias.renewal_window) {
    table.text("renewal_window", print_duration(*alias.renewal_window));
  }
  if (alias.expired_grace > std::chrono::seconds(0)) {
    table.text("expired_grace", print_duration(alias.expired_grace));
  }
  table.flag_if("allow_renewal_on_behalf", alias.allow_renewal_on_behalf);
}

template <class Value>
std::vector<std::string> texts_of(const std::vector<Value>& values) {
  std::vector<std::string> texts;
  for (const Value& value : values) {
    texts.emplace_back(to_string(value));
  }
  return texts;
}

template <class Map>
std::string print_all(const Map& map) {
  std::string text;
  for (const auto& [name, object] : map) {
    text += print(object) + "\n";
  }
  return text;
}

}  // namespace

std::string print(const ca::CertificationAuthority& ca) {
  TableWriter table("ca");
  table.text("name", ca.name);
  table.text("key", ca.key_uri);
  table.flag("unique_subject", ca.unique_subject);
  table.flag("unique_key", ca.unique_key);
  table.flag_if("enforce_key_renewal", ca.enforce_key_renewal);
  std::string pem;
  for (const crypto::Certificate& certificate : ca.chain) {
    pem += certificate.to_pem();
  }
  table.text("certificates", pem);
  return std::move(table).finish();
}

std::string print(const ca::EndEntityProfile& profile) {
  TableWriter table("end_entity_profile");
  table.text("name", profile.name);
  std::vector<std::string> required;
  std::vector<std::string> optional;
  std::string fixed;
  for (const auto& rule : profile.subject) {
    if (rule.fixed) {
      fixed += (fixed.empty() ? "" : ", ") + toml_string(rule.attribute) + " = " +
               toml_string(*rule.fixed);
    } else {
      (rule.required ? required : optional).push_back(rule.attribute);
    }
  }
  table.texts("required", required);
  table.texts("optional", optional);
  if (!fixed.empty()) {
    table.raw("fixed", "{ " + fixed + " }");
  }
  std::vector<std::string> kinds;
  for (const auto kind : profile.san) {
    kinds.emplace_back(crypto::to_string(kind));
  }
  table.texts("san", kinds);
  table.raw("max_san", std::to_string(profile.max_san));
  return std::move(table).finish();
}

std::string print(const ca::CertificateProfile& profile) {
  TableWriter table("certificate_profile");
  table.text("name", profile.name);
  table.text("validity", print_duration(profile.validity));
  table.text("backdate", print_duration(profile.backdate));
  table.texts("key_types", profile.key_types);
  table.texts("key_usage", profile.key_usage);
  std::vector<std::string> purposes;
  for (const std::string& oid : profile.extended_key_usage) {
    purposes.push_back(key_purpose_name(oid));
  }
  table.texts("extended_key_usage", purposes);
  if (profile.ca) {
    table.flag("ca", true);
    if (profile.path_length >= 0) {
      table.raw("path_length", std::to_string(profile.path_length));
    }
  }
  table.texts("crl_distribution_points", profile.crl_distribution_points);
  table.texts("ca_issuers", profile.ca_issuers);
  table.texts("ocsp", profile.ocsp);
  table.flag_if("override_subject", profile.override_subject);
  table.flag_if("override_san", profile.override_san);
  table.flag_if("override_key_usage", profile.override_key_usage);
  table.flag_if("override_validity", profile.override_validity);
  table.texts("override_extensions", profile.override_extensions);
  table.flag_if("strict_override", profile.strict_override);
  table.flag_if("single_active", profile.single_active);
  return std::move(table).finish();
}

std::string print(const ca::TrustAnchor& anchor) {
  TableWriter table("trust_anchor");
  table.text("name", anchor.name);
  table.text("revocation", to_string(anchor.revocation));
  table.text("certificate", anchor.certificate.to_pem());
  return std::move(table).finish();
}

std::string print(const ca::Alias& alias) {
  TableWriter table("alias");
  table.text("name", alias.name);
  table.text("ca", alias.ca);
  table.text("mode", to_string(alias.mode));
  table.texts("further_cas", alias.further_cas);
  table.text_if("end_entity_profile", alias.end_entity_profile);
  table.text_if("certificate_profile", alias.certificate_profile);
  table.texts("authenticators", texts_of(alias.authenticators));
  if (!alias.ra_scope.empty()) {
    table.text("ra_scope", alias.ra_scope.text());
  }
  table.texts("ra_certificates", texts_of(alias.ra_certificates));
  table.texts("trust_anchors", alias.trust_anchors);
  table.texts("vendor_anchors", alias.vendor_anchors);
  table.flag_if("vendor_in_ra_mode", alias.vendor_in_ra_mode);
  table.text("channel_binding", to_string(alias.channel_binding));
  if (alias.mode == ca::AliasMode::client) {
    const bool by_code = alias.accepts(ca::Authenticator::code);
    if (by_code || alias.code_source != ca::Alias().code_source) {
      table.text("code_source", to_string(alias.code_source));
    }
    table.text_if("code_field", alias.code_field);
    table.text("username_field", alias.username_field);
  } else {
    print_naming(table, alias);
  }
  table.flag("allow_same_key", alias.allow_same_key);
  table.text("retry_window", print_duration(alias.retry_window));
  print_renewal(table, alias);
  table.texts("serverkeygen", texts_of(alias.serverkeygen));
  table.flag_if("serverkeygen_other_key", alias.serverkeygen_other_key);
  return std::move(table).finish();
}

std::string print(const ParsedConfiguration& configuration) {
  const ca::Snapshot& contents = configuration.contents;
  std::string text = print_all(contents.cas) + print_all(contents.end_entity_profiles) +
                     print_all(contents.certificate_profiles) + print_all(contents.trust_anchors) +
                     print_all(contents.aliases);
  for (const AccountEntry& account : configuration.accounts) {
    TableWriter table("account");
    table.text("alias", account.alias);
    table.text("user", account.user);
    text += std::move(table).finish() + "\n";
  }
  return text.substr(0, text.find_last_not_of('\n') + 1) + "\n";
}

}  // namespace estia::provision
