// SPDX-License-Identifier: Apache-2.0
#include "server/store/configuration.h"

#include "crypto/base/error.h"
#include "server/store/decrypt_keys.h"

namespace estia::store {
namespace {

std::vector<ca::Account> accounts_of(Database& database, std::int64_t version) {
  std::vector<ca::Account> accounts;
  Query rows = database.query(
      "SELECT alias, user, scheme, salt, digest FROM account_secret WHERE version = ? "
      "ORDER BY alias, user");
  rows.bind(version);
  while (rows.step()) {
    accounts.push_back(
        {rows.text(0), rows.text(1), ca::PasswordHash{rows.text(2), rows.blob(3), rows.blob(4)}});
  }
  return accounts;
}

std::vector<ca::StoredCrl> crls_of(Database& database) {
  std::vector<ca::StoredCrl> crls;
  Query rows = database.query("SELECT anchor, issuer, crl FROM anchor_crl ORDER BY anchor, issuer");
  while (rows.step()) {
    crls.push_back({.anchor = rows.blob(0), .issuer = rows.blob(1), .der = rows.blob(2)});
  }
  return crls;
}

std::vector<std::string> decrypt_key_aliases_of(Database& database) {
  std::vector<std::string> aliases;
  Query rows = database.query(
      "SELECT DISTINCT owner FROM decrypt_key WHERE owner_kind = 'alias' ORDER BY 1");
  while (rows.step()) {
    aliases.push_back(rows.text(0));
  }
  return aliases;
}

void insert_account(Transaction& transaction, std::int64_t version, const ca::Account& account) {
  transaction
      .query(
          "INSERT INTO account_secret(version, alias, user, scheme, salt, digest) "
          "VALUES(?, ?, ?, ?, ?, ?)")
      .bind(version)
      .bind(account.alias)
      .bind(account.user)
      .bind(account.password.scheme)
      .bind(account.password.salt)
      .bind(account.password.digest)
      .run();
}

/// The next version's number, if nobody was faster.
std::int64_t next_version(Transaction& transaction, std::uint64_t replaces) {
  Query newest = transaction.query("SELECT coalesce(max(version), 0) FROM configuration");
  static_cast<void>(newest.step());
  const std::int64_t present = newest.integer(0);
  if (static_cast<std::uint64_t>(present) != replaces) {
    throw Error(ErrorCode::conflict, "config.version",
                "the configuration was changed by somebody else: it is at version " +
                    std::to_string(present) + ", not " + std::to_string(replaces));
  }
  return present + 1;
}

}  // namespace

std::optional<ca::StoredConfiguration> SqliteConfigurationStore::load() const {
  return readers_.read([](Database& database) -> std::optional<ca::StoredConfiguration> {
    // A version never changes once written: two statements still see one state.
    Query newest =
        database.query("SELECT version, document FROM configuration ORDER BY version DESC LIMIT 1");
    if (!newest.step()) {
      return std::nullopt;
    }
    const std::int64_t version = newest.integer(0);
    return ca::StoredConfiguration{.version = static_cast<std::uint64_t>(version),
                                   .document = newest.text(1),
                                   .accounts = accounts_of(database, version),
                                   .crls = crls_of(database),
                                   .decrypt_key_aliases = decrypt_key_aliases_of(database)};
  });
}

std::uint64_t SqliteConfigurationStore::replace(std::uint64_t replaces, const std::string& document,
                                                const std::vector<ca::Account>& accounts,
                                                const std::vector<std::string>& aliases,
                                                const ca::AuditEvent& audit) {
  return writer_.transact([&](Transaction& transaction) {
    const std::int64_t version = next_version(transaction, replaces);
    transaction
        .query("INSERT INTO configuration(version, document, created_at, who) VALUES(?, ?, ?, ?)")
        .bind(version)
        .bind(document)
        .bind(audit.at)
        .bind(audit.who)
        .run();
    for (const ca::Account& account : accounts) {
      insert_account(transaction, version, account);
    }
    const std::size_t removed = remove_decrypt_keys_of_other_aliases(transaction, aliases);
    ca::AuditEvent event = audit;
    if (removed > 0) {
      event.detail += " decrypt_keys_removed=" + std::to_string(removed);
    }
    transaction.audit(event);
    return static_cast<std::uint64_t>(version);
  });
}

void SqliteConfigurationStore::set_crl(const ca::StoredCrl& crl, const ca::AuditEvent& audit) {
  writer_.transact([&](Transaction& transaction) {
    transaction
        .query(
            "INSERT INTO anchor_crl(anchor, issuer, crl) VALUES(?, ?, ?) "
            "ON CONFLICT(anchor, issuer) DO UPDATE SET crl = excluded.crl")
        .bind(crl.anchor)
        .bind(crl.issuer)
        .bind(crl.der)
        .run();
    transaction.audit(audit);
  });
}

}  // namespace estia::store
