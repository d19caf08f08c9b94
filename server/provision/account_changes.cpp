// SPDX-License-Identifier: Apache-2.0
#include "server/provision/account_changes.h"

#include <algorithm>

#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "crypto/base/password_rules.h"
#include "server/auth/password.h"

namespace estia::provision {
namespace {

std::string name_of(const std::string& alias, const std::string& user) {
  return "account " + alias + "/" + user;
}

const ca::Account* find_stored(const std::vector<ca::Account>& stored, const AccountEntry& entry) {
  const auto found = std::ranges::find_if(stored, [&](const ca::Account& account) {
    return account.alias == entry.alias && account.user == entry.user;
  });
  return found == stored.end() ? nullptr : &*found;
}

ca::PasswordHash hash_of(const AccountEntry& entry, const Secret& password) {
  const auto origin = entry.generated ? PasswordOrigin::generated : PasswordOrigin::chosen;
  if (const auto wanted = password_weakness(password.text(), origin)) {
    throw Error(ErrorCode::config, "config.password_weak",
                entry.place + ".password_file: a password must be " + std::string(*wanted));
  }
  return entry.generated ? auth::hash_generated_secret(password)
                         : auth::hash_chosen_password(password);
}

[[noreturn]] void refuse_without_password(const AccountEntry& entry) {
  throw Error(ErrorCode::config, "config.account_password",
              entry.place + ".password_file: is needed: " + name_of(entry.alias, entry.user) +
                  " is new and has no stored password");
}

ca::Account changed_account(const AccountEntry& entry, const Passwords& passwords,
                            const ca::Account* old, AccountChanges& changes) {
  const std::string name = name_of(entry.alias, entry.user);
  const auto given = passwords.find({entry.alias, entry.user});
  if (given == passwords.end()) {
    if (entry.password_file) {
      throw Error(ErrorCode::config, "config.password_missing",
                  entry.place + ".password_file: the password of " + name + " was not given");
    }
    if (old == nullptr) {
      refuse_without_password(entry);
    }
    return *old;
  }
  if (old != nullptr && auth::verify_password(old->password, given->second.text())) {
    return *old;
  }
  (old == nullptr ? changes.added : changes.changed).push_back(name);
  return {.alias = entry.alias, .user = entry.user, .password = hash_of(entry, given->second)};
}

void refuse_unused(const std::vector<AccountEntry>& wanted, const Passwords& passwords) {
  for (const auto& [who, password] : passwords) {
    if (std::ranges::none_of(wanted, [&](const AccountEntry& entry) {
          return entry.alias == who.first && entry.user == who.second;
        })) {
      throw Error(ErrorCode::config, "config.password_unused",
                  "a password was given for " + name_of(who.first, who.second) +
                      ", which the document does not have");
    }
  }
}

std::vector<std::string> removed_accounts(const std::vector<AccountEntry>& wanted,
                                          const std::vector<ca::Account>& stored) {
  std::vector<std::string> removed;
  for (const ca::Account& old : stored) {
    if (std::ranges::none_of(wanted, [&](const AccountEntry& entry) {
          return entry.alias == old.alias && entry.user == old.user;
        })) {
      removed.push_back(name_of(old.alias, old.user));
    }
  }
  return removed;
}

}  // namespace

std::vector<NeededPassword> needed_passwords(const std::vector<AccountEntry>& accounts) {
  std::vector<NeededPassword> needed;
  for (const AccountEntry& entry : accounts) {
    if (entry.password_file) {
      needed.push_back({entry.alias, entry.user, *entry.password_file, entry.generated});
    }
  }
  return needed;
}

Passwords read_passwords(const std::vector<NeededPassword>& needed,
                         const std::filesystem::path& directory) {
  Passwords passwords;
  for (const NeededPassword& entry : needed) {
    passwords.emplace(std::pair(entry.alias, entry.user),
                      read_secret_file(directory / entry.password_file));
  }
  return passwords;
}

AccountChanges changed_accounts(const std::vector<AccountEntry>& wanted, const Passwords& passwords,
                                const std::vector<ca::Account>& stored) {
  refuse_unused(wanted, passwords);
  AccountChanges changes;
  for (const AccountEntry& entry : wanted) {
    changes.accounts.push_back(
        changed_account(entry, passwords, find_stored(stored, entry), changes));
  }
  changes.removed = removed_accounts(wanted, stored);
  return changes;
}

AccountChanges expected_account_changes(const std::vector<AccountEntry>& wanted,
                                        const std::vector<ca::Account>& stored) {
  AccountChanges changes;
  for (const AccountEntry& entry : wanted) {
    if (find_stored(stored, entry) != nullptr) {
      continue;
    }
    if (!entry.password_file) {
      refuse_without_password(entry);
    }
    changes.added.push_back(name_of(entry.alias, entry.user));
  }
  changes.removed = removed_accounts(wanted, stored);
  return changes;
}

}  // namespace estia::provision
