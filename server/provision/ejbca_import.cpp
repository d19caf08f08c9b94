// SPDX-License-Identifier: Apache-2.0
#include "server/provision/ejbca_import.h"

#include "crypto/base/error.h"
#include "server/ca/visible_text.h"
#include "server/provision/configuration_document.h"
#include "server/provision/configuration_parts.h"
#include "server/provision/ejbca_alias.h"

namespace estia::provision {
namespace {

/// By alias, then by EJBCA's key.
using Aliases = std::map<std::string, std::map<std::string, JavaProperty>>;

EjbcaNames read_maps(const std::vector<std::string>& maps) {
  EjbcaNames names;
  for (const std::string& map : maps) {
    const std::size_t colon = map.find(':');
    const std::size_t equals = map.rfind('=');  // an older dump has names for ids
    const std::string kind = map.substr(0, colon);
    const bool known =
        kind == "ca" || kind == "eeprofile" || kind == "certprofile" || kind == "vendorca";
    if (!known || equals == std::string::npos || equals < colon || equals + 1 == map.size()) {
      throw Error(ErrorCode::config, "ejbca.map",
                  "'" + map +
                      "' must be ca:ID=NAME, eeprofile:ID=NAME, certprofile:ID=NAME or "
                      "vendorca:ID=NAME");
    }
    if (!names
             .emplace(std::pair(kind, map.substr(colon + 1, equals - colon - 1)),
                      map.substr(equals + 1))
             .second) {
      throw Error(ErrorCode::config, "ejbca.map", "'" + map + "': this id was mapped before");
    }
  }
  return names;
}

/// For the report: who reads it must see what is there.
std::string visible(const std::string& text) {
  const auto hidden = ca::invisible_character(text);
  return hidden ? "(a key with " + *hidden + ")" : text;
}

Aliases by_alias(const EjbcaDump& dump, EjbcaImport& report) {
  Aliases aliases;
  for (const JavaProperty& property : parse_java_properties(dump.text, dump.source)) {
    const std::string place = dump.source + ":" + std::to_string(property.line) + ": ";
    const std::string key = ejbca_key_of(property.key);
    if (key.empty()) {
      report.not_taken.push_back(place + visible(property.key) +
                                 ": no setting of an alias that is known here");
      continue;
    }
    if (const auto hidden = ca::invisible_character(property.key + property.value)) {
      throw Error(ErrorCode::config, "ejbca.value",
                  place + "key or value holds a character nobody sees, " + *hidden);
    }
    const std::string alias = property.key.substr(0, property.key.size() - key.size() - 1);
    aliases[alias].emplace(key, property);
  }
  if (aliases.empty()) {
    throw Error(ErrorCode::config, "ejbca.no_alias",
                dump.source + ": no line is a setting of an EST alias (ALIAS.KEY=VALUE)");
  }
  return aliases;
}

/// The one table of this text. Judged by what reads the configuration, so that nothing is printed
/// that cannot be applied.
template <class Read>
void must_read_back(const std::string& toml, const char* kind, Read&& read, const EjbcaDump& dump,
                    const std::string& alias) {
  const std::string source = "x";
  try {
    const DocumentTable document = parse_toml(toml, source);
    const auto& tables = std::get<DocumentArray>(document.at(kind).value);
    static_cast<void>(read(ConfigurationSection(kind, 1, tables.at(0), source)));
  } catch (const Error& error) {
    // "x:1: alias[name].key: reason": lines of a text nobody has seen help nobody.
    const std::string told = error.what();
    throw Error(ErrorCode::config, "ejbca.alias",
                dump.source + ": alias '" + alias +
                    "' cannot be an alias here: " + told.substr(told.find(": ") + 2));
  }
}

std::string account_comment(const EjbcaDump& dump, const std::string& alias,
                            const std::string& user) {
  const std::string table = "[[account]]\nalias = " + toml_string(alias) +
                            "\nuser = " + toml_string(user) +
                            "\npassword_file = " + toml_string(alias + ".password") + "\n";
  must_read_back(table, "account", read_account, dump, alias);
  std::string comment = "# Set the password anew: make the file, then uncomment.\n";
  for (std::size_t at = 0; at < table.size();) {
    const std::size_t end = table.find('\n', at) + 1;
    comment += "# " + table.substr(at, end - at);
    at = end;
  }
  return comment + "\n";
}

}  // namespace

EjbcaImport import_ejbca(const EjbcaDump& dump) {
  EjbcaImport report;
  const EjbcaNames names = read_maps(dump.maps);
  const std::optional<ca::NameScope> scope =
      dump.ra_scope ? std::optional(ca::NameScope::parse(*dump.ra_scope)) : std::nullopt;
  EjbcaAlias::Context context{
      .source = dump.source, .names = names, .scope = scope, .report = report};
  for (const auto& [name, settings] : by_alias(dump, report)) {
    EjbcaAlias reader(name, settings, context);
    const std::string toml = print(reader.read());
    must_read_back(toml, "alias", read_alias, dump, name);
    report.toml += toml + "\n";
    if (!reader.user().empty()) {
      report.toml += account_comment(dump, name, reader.user());
    }
  }
  if (!context.unmapped.empty()) {
    std::string all;
    for (const std::string& line : context.unmapped) {
      all += (all.empty() ? "" : "\n") + line;
    }
    throw Error(ErrorCode::config, "ejbca.unmapped", all);
  }
  for (const auto& [id, ours] : names) {
    if (!context.used.contains(id)) {
      report.not_taken.push_back("--map " + id.first + ":" + id.second + "=" + ours +
                                 ": no setting refers to this id");
    }
  }
  return report;
}

}  // namespace estia::provision
