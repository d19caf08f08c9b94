// SPDX-License-Identifier: Apache-2.0
// What a running daemon and the offline command share; the store behind the seam has its own tests.
#include "server/provision/apply.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "server/auth/password.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_directory.h"
#include "tests/unit/provision/good_document.h"

namespace estia::provision {
namespace {

using test::good_document;
using test::mutated;
using test::refusal;

constexpr const char* kPassword = "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5";

/// Versions in memory, with the store's rule about them.
class Versions final : public ca::ConfigurationStore {
 public:
  [[nodiscard]] std::optional<ca::StoredConfiguration> load() const override {
    return versions.empty() ? std::nullopt : std::optional(versions.back());
  }
  std::uint64_t replace(std::uint64_t replaces, const std::string& document,
                        const std::vector<ca::Account>& accounts,
                        const std::vector<std::string>& names,
                        const ca::AuditEvent& audit) override {
    if (replaces != versions.size()) {
      throw Error(ErrorCode::conflict, "config.version", "changed");
    }
    versions.push_back({.version = replaces + 1, .document = document, .accounts = accounts});
    events.push_back(audit);
    aliases = names;
    return replaces + 1;
  }
  void set_crl(const ca::StoredCrl& crl, const ca::AuditEvent& audit) override {
    versions.back().crls = {crl};
    events.push_back(audit);
  }

  std::vector<ca::StoredConfiguration> versions;
  std::vector<ca::AuditEvent> events;
  std::vector<std::string> aliases;  ///< of the newest version
};

class Apply : public testing::Test {
 protected:
  Apply() { static_cast<void>(apply_it(good_document(), kPassword)); }

  ApplyReport apply_it(const std::string& document, const std::string& password = "",
                       std::optional<std::uint64_t> replaces = std::nullopt) {
    ApplyRequest request{
        .document = document, .source = "test.toml", .who = "operator uid 7", .replaces = replaces};
    if (!password.empty()) {
      request.passwords.emplace(std::pair("est", "ra"), Secret(password));
    }
    return apply(request, store, clock, hooks);
  }
  [[nodiscard]] static std::string without_file() {
    return mutated("password_file = \"ra.password\"\n", "");
  }

  SystemClock clock;
  Versions store;
  ApplyHooks hooks;
};

TEST_F(Apply, PublishesExactlyWhatItStored) {
  std::shared_ptr<const ca::Snapshot> published;
  std::string order;
  hooks.prepare = [&](const ca::Snapshot& next) {
    order += "prepare ";
    EXPECT_NE(next.find_alias("third"), nullptr);
    EXPECT_EQ(store.versions.size(), 1U);
  };
  hooks.publish = [&](std::shared_ptr<const ca::Snapshot> next) {
    order += "publish";
    EXPECT_EQ(store.versions.size(), 2U);
    published = std::move(next);
  };
  std::string document = without_file();
  document.replace(document.find("name = \"renew\""), 14, "name = \"third\"");
  const ApplyReport report = apply_it(document);
  EXPECT_EQ(order, "prepare publish");
  ASSERT_TRUE(published);
  EXPECT_EQ(published->version, 2U);
  EXPECT_EQ(report.version, 2U);
  EXPECT_NE(published->find_alias("third"), nullptr);
  EXPECT_EQ(published->find_alias("renew"), nullptr);
  const auto stands = [&](const char* alias) {
    return std::ranges::find(store.aliases, alias) != store.aliases.end();
  };
  EXPECT_TRUE(stands("third"));
  EXPECT_FALSE(stands("renew")) << "its decrypt keys go";
  EXPECT_EQ(store.aliases.size(), published->aliases.size());
  ASSERT_EQ(published->accounts.size(), 1U);
  EXPECT_TRUE(auth::verify_password(published->accounts[0].password, kPassword)) << "kept";
  EXPECT_EQ(store.events.back().who, "operator uid 7");
  EXPECT_EQ(store.events.back().what, "config.replaced");
}

TEST_F(Apply, ARefusalBeforeTheStoreChangesNothing) {
  hooks.prepare = [](const ca::Snapshot&) {
    throw Error(ErrorCode::token, "token.key_not_found", "no such key");
  };
  hooks.publish = [](const std::shared_ptr<const ca::Snapshot>&) { FAIL() << "published"; };
  EXPECT_EQ(refusal([&] { static_cast<void>(apply_it(mutated("365d", "30d"), kPassword)); }),
            "token token.key_not_found");
  EXPECT_EQ(store.versions.size(), 1U);
}

TEST_F(Apply, NothingToChangeNeitherStoresNorPublishes) {
  hooks.prepare = [](const ca::Snapshot&) { FAIL() << "prepared"; };
  hooks.publish = [](const std::shared_ptr<const ca::Snapshot>&) { FAIL() << "published"; };
  EXPECT_FALSE(apply_it(good_document(), kPassword).anything());
  EXPECT_FALSE(apply_it(without_file()).anything());
  EXPECT_EQ(store.versions.size(), 1U);
}

TEST_F(Apply, AnotherVersionThanTheOneLookedAtIsAConflict) {
  const std::string wanted = mutated("365d", "30d");
  for (const std::uint64_t looked_at : {0U, 2U}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(apply_it(wanted, kPassword, looked_at)); }),
              "conflict config.version");
  }
  EXPECT_EQ(apply_it(wanted, kPassword, 1).version, 2U);
}

TEST_F(Apply, PasswordsMustBeGivenForTheFilesNamedAndForNobodyElse) {
  EXPECT_EQ(refusal([&] { static_cast<void>(apply_it(good_document())); }),
            "config config.password_missing");
  EXPECT_EQ(refusal([&] {
              static_cast<void>(apply_it(
                  mutated("user = \"ra\"\npassword_file = \"ra.password\"", "user = \"ra2\""),
                  kPassword));
            }),
            "config config.password_unused");
  EXPECT_EQ(refusal([&] {
              static_cast<void>(apply_it(
                  mutated("user = \"ra\"\npassword_file = \"ra.password\"", "user = \"ra2\"")));
            }),
            "config config.account_password");
  EXPECT_EQ(refusal([&] { static_cast<void>(apply_it(without_file(), "hunter2")); }),
            "config config.password_weak");
  EXPECT_EQ(apply_it(without_file(), std::string("A") + kPassword).changed,
            std::vector<std::string>{"account est/ra"});
}

TEST_F(Apply, APasswordIsKeptByScryptUnlessItIsSaidToBeGenerated_D16) {
  const auto stored = [&] { return store.versions.back().accounts[0].password; };
  EXPECT_EQ(apply_it(without_file(), "a password somebody chose").changed.size(), 1U);
  EXPECT_TRUE(auth::is_chosen(stored()));
  const std::string said = mutated("password_file", "generated = true\npassword_file");
  EXPECT_EQ(refusal([&] { static_cast<void>(apply_it(said, "a password somebody else chose")); }),
            "config config.password_weak");
  EXPECT_EQ(apply_it(said, std::string("B") + kPassword).changed.size(), 1U);
  EXPECT_FALSE(auth::is_chosen(stored()));
  EXPECT_EQ(store.versions.back().document.find("generated"), std::string::npos);
}

TEST_F(Apply, CheckTellsWhatWouldChangeAndWhichPasswordsAreNeeded) {
  const CheckReport same = check(without_file(), "t", store);
  EXPECT_TRUE(same.needs.empty());
  EXPECT_FALSE(same.changes.anything());
  EXPECT_EQ(same.diff, "");
  const CheckReport other = check(mutated("max_san = 7", "max_san = 8"), "t", store);
  ASSERT_EQ(other.needs.size(), 1U);
  EXPECT_EQ(other.needs[0].alias, "est");
  EXPECT_EQ(other.needs[0].user, "ra");
  EXPECT_EQ(other.needs[0].password_file, "ra.password");
  EXPECT_FALSE(other.needs[0].generated);
  EXPECT_TRUE(check(mutated("password_file", "generated = true\npassword_file"), "t", store)
                  .needs.at(0)
                  .generated);
  EXPECT_EQ(other.changes.changed, std::vector<std::string>{"end-entity profile device"});
  EXPECT_EQ(other.changes.version, 1U);
  EXPECT_NE(other.diff.find("\n-max_san = 7\n+max_san = 8\n"), std::string::npos) << other.diff;
  EXPECT_EQ(refusal([&] { static_cast<void>(check("rubbish", "t", store)); }),
            "config config.syntax");
  EXPECT_EQ(store.versions.size(), 1U);
  const Versions empty;
  EXPECT_EQ(check(good_document(), "t", empty).changes.version, 0U);
  EXPECT_EQ(refusal([&] { static_cast<void>(export_configuration(empty)); }), "config config.none");
}

TEST_F(Apply, PasswordFilesAreReadFromTheDocumentsDirectory) {
  const test::ScratchDirectory scratch;
  const std::vector<NeededPassword> needed{{"est", "ra", "ra.password"}};
  EXPECT_EQ(refusal([&] { static_cast<void>(read_passwords(needed, scratch.path())); }),
            "config file.unreadable");
  write_new_file(scratch.path() / "ra.password", std::string(kPassword) + "\n", FileMode::secret);
  EXPECT_EQ(read_passwords(needed, scratch.path()).at({"est", "ra"}).text(), kPassword);
}

}  // namespace
}  // namespace estia::provision
