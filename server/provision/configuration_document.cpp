// SPDX-License-Identifier: Apache-2.0
#include "server/provision/configuration_document.h"

#include <algorithm>
#include <array>

#include "crypto/base/error.h"
#include "server/provision/configuration_checks.h"
#include "server/provision/configuration_parts.h"

namespace estia::provision {
namespace {

constexpr std::string_view kDefaultAlias = "est";

/// Calls `take` with each table of the list `kind`.
template <class Take>
void for_each(const DocumentTable& document, const std::string& kind, const std::string& source,
              Take&& take) {
  const auto found = document.find(kind);
  if (found == document.end()) {
    return;
  }
  const auto* tables = std::get_if<DocumentArray>(&found->second.value);
  if (tables == nullptr) {
    throw Error(ErrorCode::config, "config.type",
                source + ":" + std::to_string(found->second.line) + ": " + kind +
                    ": must be a list of tables, [[" + kind + "]]");
  }
  std::size_t position = 0;
  for (const DocumentValue& table : *tables) {
    take(ConfigurationSection(kind, ++position, table, source));
  }
}

void check_top_level(const DocumentTable& document, const std::string& source) {
  constexpr std::array<std::string_view, 6> kKinds{
      "ca", "end_entity_profile", "certificate_profile", "trust_anchor", "alias", "account"};
  for (const auto& [key, value] : document) {
    if (std::ranges::find(kKinds, key) == kKinds.end()) {
      throw Error(ErrorCode::config, "config.unknown_key",
                  source + ":" + std::to_string(value.line) + ": " + key + ": unknown key");
    }
  }
}

template <class Map, class Object>
void add(Map& map, Object object, const ConfigurationSection& section) {
  const std::string name = object.name;
  if (!map.emplace(name, std::move(object)).second) {
    section.refuse("config.duplicate", "name", "'" + name + "' stands twice");
  }
}

const ca::Account* find_account(const std::vector<ca::Account>& accounts,
                                const AccountEntry& entry) {
  const auto found = std::ranges::find_if(accounts, [&](const ca::Account& account) {
    return account.alias == entry.alias && account.user == entry.user;
  });
  return found == accounts.end() ? nullptr : &*found;
}

/// Those that were stored for exactly this certificate, whatever its name was then.
std::vector<crypto::Crl> crls_of(const ca::TrustAnchor& anchor,
                                 const std::vector<ca::StoredCrl>& stored) {
  std::vector<crypto::Crl> crls;
  const Bytes fingerprint = anchor.certificate.fingerprint_sha256();
  for (const ca::StoredCrl& each : stored) {
    if (each.anchor == fingerprint) {
      crls.push_back(crypto::Crl::parse(each.der));
    }
  }
  return crls;
}

}  // namespace

ParsedConfiguration parse(std::string_view text, const std::string& source) {
  const DocumentTable document = parse_toml(text, source);
  check_top_level(document, source);
  ParsedConfiguration result;
  ca::Snapshot& contents = result.contents;
  // What others refer to comes first, whatever the order in the document.
  for_each(document, "ca", source,
           [&](const auto& section) { add(contents.cas, read_ca(section), section); });
  for_each(document, "end_entity_profile", source, [&](const auto& section) {
    add(contents.end_entity_profiles, read_end_entity_profile(section), section);
  });
  for_each(document, "certificate_profile", source, [&](const auto& section) {
    add(contents.certificate_profiles, read_certificate_profile(section), section);
  });
  for_each(document, "trust_anchor", source, [&](const auto& section) {
    ca::TrustAnchor anchor = read_trust_anchor(section);
    check_trust_anchor(section, anchor, contents);
    add(contents.trust_anchors, std::move(anchor), section);
  });
  for_each(document, "alias", source, [&](const auto& section) {
    ca::Alias alias = read_alias(section);
    check_alias(section, alias, contents);
    add(contents.aliases, std::move(alias), section);
  });
  for_each(document, "account", source, [&](const auto& section) {
    AccountEntry account = read_account(section);
    check_account(section, account, result);
    result.accounts.push_back(std::move(account));
  });
  if (contents.find_alias(kDefaultAlias) == nullptr) {
    throw Error(ErrorCode::config, "config.no_default_alias",
                source + ": the alias named est is missing: it answers the path without a label");
  }
  result.warnings = warnings_for(result);
  return result;
}

std::shared_ptr<const ca::Snapshot> build_snapshot(const ca::StoredConfiguration& stored) {
  ParsedConfiguration parsed = parse(stored.document, "stored configuration");
  if (parsed.accounts.size() != stored.accounts.size()) {
    throw Error(ErrorCode::internal, "config.stored_accounts", "internal error",
                "the stored configuration names " + std::to_string(parsed.accounts.size()) +
                    " accounts, but " + std::to_string(stored.accounts.size()) + " have a hash");
  }
  auto snapshot = std::make_shared<ca::Snapshot>(std::move(parsed.contents));
  snapshot->version = stored.version;
  for (auto& [name, anchor] : snapshot->trust_anchors) {
    anchor.crls = crls_of(anchor, stored.crls);
  }
  for (const AccountEntry& entry : parsed.accounts) {
    const ca::Account* account = find_account(stored.accounts, entry);
    if (account == nullptr) {
      throw Error(ErrorCode::internal, "config.stored_accounts", "internal error",
                  "account " + entry.alias + "/" + entry.user + " has no stored hash");
    }
    snapshot->accounts.push_back(*account);
  }
  return snapshot;
}

}  // namespace estia::provision
