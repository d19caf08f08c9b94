// SPDX-License-Identifier: Apache-2.0
#include "server/ca/configuration_store.h"

#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

class ConfigurationTest : public StoreTest {
 protected:
  [[nodiscard]] static ca::Account account(const std::string& alias, const std::string& user) {
    return {alias, user, ca::PasswordHash{"sha256", Bytes(16, 1), Bytes(32, 2)}};
  }
  std::uint64_t replace(std::uint64_t replaces, const std::string& document,
                        const std::vector<ca::Account>& accounts = {}) {
    return store_->configuration().replace(replaces, document, accounts, {},
                                           event("config.replaced"));
  }

  std::unique_ptr<Store> store_ = create();
};

TEST_F(ConfigurationTest, AFreshStoreHasNone) {
  EXPECT_FALSE(store_->configuration().load());
}

TEST_F(ConfigurationTest, TheNewestVersionIsLoadedWithItsAccounts) {
  EXPECT_EQ(replace(0, "a = 1", {account("est", "old")}), 1U);
  EXPECT_EQ(replace(1, "a = 2", {account("est", "ra"), account("factory", "ra")}), 2U);
  store_.reset();
  store_ = open();
  const auto stored = store_->configuration().load();
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->version, 2U);
  EXPECT_EQ(stored->document, "a = 2");
  ASSERT_EQ(stored->accounts.size(), 2U);
  EXPECT_EQ(stored->accounts[0].alias, "est");
  EXPECT_EQ(stored->accounts[0].user, "ra");
  EXPECT_EQ(stored->accounts[0].password.scheme, "sha256");
  EXPECT_EQ(stored->accounts[0].password.salt, Bytes(16, 1));
  EXPECT_EQ(stored->accounts[1].password.digest, Bytes(32, 2));
  EXPECT_EQ(stored->accounts[1].alias, "factory");
}

TEST_F(ConfigurationTest, EveryVersionIsKept) {
  static_cast<void>(replace(0, "a = 1"));
  static_cast<void>(replace(1, "a = 2"));
  store_.reset();
  EXPECT_EQ(sql_integer(path(), "SELECT count(*) FROM configuration"), 2);
}

TEST_F(ConfigurationTest, AStaleVersionIsAConflictAndChangesNothing) {
  static_cast<void>(replace(0, "a = 1"));
  for (const std::uint64_t stale : {0U, 2U}) {
    const auto action = [&] { static_cast<void>(replace(stale, "a = 2")); };
    EXPECT_EQ(error_id(action), "config.version");
    EXPECT_EQ(error_category(action), "conflict");
  }
  EXPECT_EQ(store_->configuration().load()->document, "a = 1");
  EXPECT_EQ(store_->verify_audit_chain(), 1U);
}

TEST_F(ConfigurationTest, OfManyAtOnceExactlyOneReplaces) {
  std::atomic<int> replaced = 0;
  std::atomic<int> conflicts = 0;
  in_threads(16, [&](std::size_t i) {
    const std::string id = error_id([&] { replace(0, "a = " + std::to_string(i)); });
    (id.empty() ? replaced : conflicts) += 1;
    EXPECT_TRUE(id.empty() || id == "config.version") << id;
  });
  EXPECT_EQ(replaced, 1);
  EXPECT_EQ(conflicts, 15);
  EXPECT_EQ(store_->configuration().load()->version, 1U);
}

TEST_F(ConfigurationTest, OneAccountTwiceIsRefusedWhole) {
  EXPECT_EQ(error_id([&] {
              replace(0, "a = 1", {account("est", "ra"), account("est", "ra")});
            }),
            "store.refused");
  EXPECT_FALSE(store_->configuration().load());
  EXPECT_EQ(store_->verify_audit_chain(), 0U);
}

}  // namespace
}  // namespace estia::store::test
