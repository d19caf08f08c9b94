// SPDX-License-Identifier: Apache-2.0
#include "server/provision/apply.h"

#include <algorithm>
#include <map>
#include <utility>

#include "crypto/base/error.h"
#include "server/provision/configuration_document.h"
#include "server/provision/line_diff.h"

namespace estia::provision {
namespace {

/// Each object of a configuration by its name for people, with its text.
using Objects = std::map<std::string, std::string>;

Objects objects_of(const ca::Snapshot& contents) {
  Objects objects;
  const auto add = [&](const std::string& kind, const auto& map) {
    for (const auto& [name, object] : map) {
      objects.emplace(kind + " " + name, print(object));
    }
  };
  add("ca", contents.cas);
  add("end-entity profile", contents.end_entity_profiles);
  add("certificate profile", contents.certificate_profiles);
  add("trust anchor", contents.trust_anchors);
  add("alias", contents.aliases);
  return objects;
}

void compare(const Objects& before, const Objects& after, ApplyReport& report) {
  for (const auto& [name, text] : after) {
    const auto old = before.find(name);
    if (old == before.end()) {
      report.added.push_back(name);
    } else if (old->second != text) {
      report.changed.push_back(name);
    }
  }
  for (const auto& [name, text] : before) {
    if (!after.contains(name)) {
      report.removed.push_back(name);
    }
  }
}

void warn_about_removed_aliases(const std::vector<std::string>& with_keys, ApplyReport& report) {
  for (const std::string& name : with_keys) {
    if (std::ranges::find(report.removed, "alias " + name) != report.removed.end()) {
      report.warnings.push_back("alias " + name +
                                " is removed: what decrypt-key registered for it goes with it");
    }
  }
}

void warn_about_removed_cas(ApplyReport& report) {
  for (const std::string& name : report.removed) {
    if (name.starts_with("ca ")) {
      report.warnings.push_back(name + " is removed: its certificates can no longer be renewed");
    }
  }
}

std::string summary(const ApplyReport& report) {
  std::string text;
  const auto list = [&](const char* key, const std::vector<std::string>& names) {
    text += text.empty() ? "" : " ";
    text += key;
    text += '=';
    for (const std::string& name : names) {
      text += name == names.front() ? "" : ",";
      text += name;
    }
  };
  list("added", report.added);
  list("changed", report.changed);
  list("removed", report.removed);
  return text;
}

std::vector<std::string> aliases_of(const ca::Snapshot& contents) {
  std::vector<std::string> names;
  for (const auto& [name, alias] : contents.aliases) {
    names.push_back(name);
  }
  return names;
}

void append(std::vector<std::string>& list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

/// The version in force, or version 0 with nothing in it.
struct InForce {
  ca::StoredConfiguration stored;
  ParsedConfiguration parsed;
};

InForce load(const ca::ConfigurationStore& store) {
  InForce in_force;
  in_force.stored = store.load().value_or(ca::StoredConfiguration{});
  if (in_force.stored.version != 0) {
    in_force.parsed = parse(in_force.stored.document, "stored configuration");
  }
  return in_force;
}

ApplyReport report_of(const InForce& in_force, const ParsedConfiguration& wanted,
                      const AccountChanges& accounts) {
  ApplyReport report{.version = in_force.stored.version, .warnings = wanted.warnings};
  compare(objects_of(in_force.parsed.contents), objects_of(wanted.contents), report);
  append(report.added, accounts.added);
  append(report.changed, accounts.changed);
  append(report.removed, accounts.removed);
  warn_about_removed_cas(report);
  warn_about_removed_aliases(in_force.stored.decrypt_key_aliases, report);
  return report;
}

void require_version(std::optional<std::uint64_t> wanted, std::uint64_t present) {
  if (wanted && *wanted != present) {
    throw Error(ErrorCode::conflict, "config.version",
                "the configuration was changed by somebody else: it is at version " +
                    std::to_string(present) + ", not " + std::to_string(*wanted));
  }
}

}  // namespace

ApplyReport apply(const ApplyRequest& request, ca::ConfigurationStore& store, const Clock& clock,
                  const ApplyHooks& hooks) {
  const InForce in_force = load(store);
  require_version(request.replaces, in_force.stored.version);
  const ParsedConfiguration wanted = parse(request.document, request.source);
  const AccountChanges accounts =
      changed_accounts(wanted.accounts, request.passwords, in_force.stored.accounts);
  ApplyReport report = report_of(in_force, wanted, accounts);
  if (!report.anything()) {
    return report;
  }
  if (hooks.prepare) {
    hooks.prepare(wanted.contents);
  }
  const ca::StoredConfiguration next{.version = in_force.stored.version + 1,
                                     .document = print(wanted),
                                     .accounts = accounts.accounts,
                                     .crls = in_force.stored.crls};
  // Built first: what is stored can be put in force.
  std::shared_ptr<const ca::Snapshot> snapshot = build_snapshot(next);
  report.version = store.replace(in_force.stored.version, next.document, next.accounts,
                                 aliases_of(wanted.contents),
                                 {.at = clock.now(),
                                  .who = request.who,
                                  .what = "config.replaced",
                                  .outcome = "ok",
                                  .object = std::to_string(next.version),
                                  .detail = summary(report)});
  if (hooks.publish) {
    hooks.publish(std::move(snapshot));
  }
  return report;
}

CheckReport check(const std::string& document, const std::string& source,
                  const ca::ConfigurationStore& store) {
  const InForce in_force = load(store);
  const ParsedConfiguration wanted = parse(document, source);
  const AccountChanges accounts =
      expected_account_changes(wanted.accounts, in_force.stored.accounts);
  return {
      .needs = needed_passwords(wanted.accounts),
      .changes = report_of(in_force, wanted, accounts),
      .diff = line_diff(in_force.stored.version == 0 ? "" : print(in_force.parsed), print(wanted))};
}

ExportedConfiguration export_configuration(const ca::ConfigurationStore& store) {
  const auto stored = store.load();
  if (!stored) {
    throw Error(ErrorCode::config, "config.none", "there is no configuration yet");
  }
  return {stored->version, print(parse(stored->document, "stored configuration"))};
}

}  // namespace estia::provision
