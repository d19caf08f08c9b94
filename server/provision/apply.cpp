// SPDX-License-Identifier: Apache-2.0
#include "server/provision/apply.h"

#include <algorithm>
#include <map>
#include <set>

#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "server/auth/password.h"
#include "server/provision/configuration_document.h"

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
  add("alias", contents.aliases);
  return objects;
}

std::string name_of(const std::string& alias, const std::string& user) {
  return "account " + alias + "/" + user;
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

/// Guards against a password that a person chose: one SHA-256 is no protection for it (D16).
void check_generated(const AccountEntry& entry, const Secret& password) {
  constexpr std::size_t kLeast = 22;  // base64url characters of 128 bits
  constexpr std::size_t kMost = 256;
  constexpr std::size_t kLeastDifferent = 8;
  const std::string_view text = password.text();
  const std::set<char> different(text.begin(), text.end());
  const bool plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; });
  if (text.size() < kLeast || text.size() > kMost || different.size() < kLeastDifferent || !plain) {
    throw Error(ErrorCode::config, "config.password_weak",
                entry.place +
                    ".password_file: the password must be generated: 22 to 256 printable "
                    "characters without spaces, 128 random bits or more");
  }
}

ca::Account account_from(const AccountEntry& entry, const ApplyRequest& request,
                         const std::vector<ca::Account>& stored, ApplyReport& report) {
  const auto old = std::ranges::find_if(stored, [&](const ca::Account& account) {
    return account.alias == entry.alias && account.user == entry.user;
  });
  const bool known = old != stored.end();
  if (!known) {
    report.added.push_back(name_of(entry.alias, entry.user));
  }
  if (!entry.password_file) {
    if (!known) {
      throw Error(ErrorCode::config, "config.account_password",
                  entry.place + ".password_file: is needed: " + name_of(entry.alias, entry.user) +
                      " is new and has no stored password");
    }
    return *old;
  }
  const Secret password = read_secret_file(request.directory / *entry.password_file);
  check_generated(entry, password);
  if (known && auth::verify_password(old->password, password.text())) {
    return *old;
  }
  if (known) {
    report.changed.push_back(name_of(entry.alias, entry.user));
  }
  return {
      .alias = entry.alias, .user = entry.user, .password = auth::hash_generated_secret(password)};
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

}  // namespace

ApplyReport apply(const ApplyRequest& request, ca::ConfigurationStore& store, const Clock& clock) {
  const ParsedConfiguration wanted = parse(request.document, request.source);
  const ca::StoredConfiguration stored = store.load().value_or(ca::StoredConfiguration{});
  const ParsedConfiguration in_force =
      stored.version == 0 ? ParsedConfiguration{} : parse(stored.document, "stored configuration");
  ApplyReport report{.version = stored.version, .warnings = wanted.warnings};
  compare(objects_of(in_force.contents), objects_of(wanted.contents), report);
  std::vector<ca::Account> accounts;
  for (const AccountEntry& entry : wanted.accounts) {
    accounts.push_back(account_from(entry, request, stored.accounts, report));
  }
  for (const ca::Account& old : stored.accounts) {
    if (std::ranges::none_of(accounts, [&](const ca::Account& account) {
          return account.alias == old.alias && account.user == old.user;
        })) {
      report.removed.push_back(name_of(old.alias, old.user));
    }
  }
  warn_about_removed_cas(report);
  if (!report.anything()) {
    return report;
  }
  report.version = store.replace(stored.version, print(wanted), accounts,
                                 {.at = clock.now(),
                                  .who = request.who,
                                  .what = "config.replaced",
                                  .outcome = "ok",
                                  .object = std::to_string(stored.version + 1),
                                  .detail = summary(report)});
  return report;
}

std::string export_configuration(const ca::ConfigurationStore& store) {
  const auto stored = store.load();
  if (!stored) {
    throw Error(ErrorCode::config, "config.none", "there is no configuration yet");
  }
  return print(parse(stored->document, "stored configuration"));
}

}  // namespace estia::provision
