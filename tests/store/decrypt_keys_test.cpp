// SPDX-License-Identifier: Apache-2.0
#include "server/ca/decrypt_keys.h"

#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

using Kind = ca::DecryptKeyKind;
using Owner = ca::DecryptKeyOwner;

class DecryptKeysTest : public StoreTest {
 protected:
  [[nodiscard]] static ca::DecryptKey key(const Owner& owner, Kind kind = Kind::secret,
                                          const Bytes& identifier = {1, 2}) {
    return {.name = {owner, kind, identifier},
            .value = {9, 8, 7},
            .created_at = from_unix_seconds(1'700'000'000)};
  }
  [[nodiscard]] ca::DecryptKeyStore& keys() { return store_->decrypt_keys(); }
  void add(const ca::DecryptKey& key) { keys().add(key, event("decrypt_key.added")); }
  void configure(std::uint64_t replaces, const std::vector<std::string>& aliases) {
    static_cast<void>(
        store_->configuration().replace(replaces, "a = 1", {}, aliases, event("config.replaced")));
  }

  /// Of the audit trail's last row.
  [[nodiscard]] std::string last_detail() {
    store_.reset();
    std::string detail =
        sql_text(path(), "SELECT detail FROM audit ORDER BY sequence DESC LIMIT 1");
    store_ = open();
    return detail;
  }

  const Owner factory_{Owner::Kind::alias, "factory"};
  const Owner lab_{Owner::Kind::alias, "lab"};
  const Owner device_{Owner::Kind::end_entity, "Device-1"};
  std::unique_ptr<Store> store_ = create();
};

TEST_F(DecryptKeysTest, SurviveARestartAndAreFoundByEveryPartOfTheirName) {
  store_->end_entities().add({.username = "device-1", .ca = "issuing"}, event("entity.added"));
  add(key(factory_));
  add(key(factory_, Kind::certificate));
  add(key(factory_, Kind::password, {}));
  add(key(factory_, Kind::secret, {1}));
  add(key(device_));
  store_.reset();
  store_ = open();
  const auto found = keys().find({factory_, Kind::secret, {1, 2}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->value, (Bytes{9, 8, 7}));
  EXPECT_EQ(found->created_at, from_unix_seconds(1'700'000'000));
  EXPECT_TRUE(keys().find({{Owner::Kind::end_entity, "DEVICE-1"}, Kind::secret, {1, 2}}));
  EXPECT_TRUE(keys().find({factory_, Kind::password, {}}));
  EXPECT_FALSE(keys().find({lab_, Kind::secret, {1, 2}}));
  EXPECT_FALSE(keys().find({device_, Kind::certificate, {1, 2}}));
  EXPECT_FALSE(keys().find({factory_, Kind::secret, {1, 2, 3}}));
  EXPECT_FALSE(keys().find({{Owner::Kind::end_entity, "factory"}, Kind::secret, {1, 2}}));
  EXPECT_EQ(keys().list(factory_, 0, 10).size(), 4U);
  EXPECT_EQ(keys().list(device_, 0, 10).size(), 1U);
}

TEST_F(DecryptKeysTest, AreUniqueByName) {
  add(key(factory_));
  EXPECT_EQ(error_id([&] { add(key(factory_)); }), "decrypt_key.exists");
  add(key(lab_));
  keys().remove({factory_, Kind::secret, {1, 2}}, event("decrypt_key.removed"));
  EXPECT_EQ(error_id([&] {
              keys().remove({factory_, Kind::secret, {1, 2}}, event("decrypt_key.removed"));
            }),
            "decrypt_key.unknown");
  EXPECT_TRUE(keys().find({lab_, Kind::secret, {1, 2}}));
}

TEST_F(DecryptKeysTest, AnEndEntityMustBeThere) {
  EXPECT_EQ(error_id([&] { add(key(device_)); }), "entity.unknown");
  EXPECT_FALSE(keys().find(key(device_).name));
}

/// Else a new alias of an old name would hand keys to whom the old one knew.
TEST_F(DecryptKeysTest, GoWithTheirAlias) {
  store_->end_entities().add({.username = "device-1", .ca = "issuing"}, event("entity.added"));
  add(key(factory_));
  add(key(lab_));
  add(key(device_));
  configure(0, {"factory", "lab"});
  EXPECT_TRUE(keys().find(key(lab_).name));
  configure(1, {"factory"});
  EXPECT_NE(last_detail().find("decrypt_keys_removed=1"), std::string::npos) << last_detail();
  EXPECT_FALSE(keys().find(key(lab_).name));
  EXPECT_TRUE(keys().find(key(factory_).name));
  configure(2, {});
  EXPECT_FALSE(keys().find(key(factory_).name));
  EXPECT_TRUE(keys().find(key(device_).name)) << "an end entity's stay";
}

TEST_F(DecryptKeysTest, EachChangeIsAudited) {
  const std::uint64_t before = store_->verify_audit_chain();
  add(key(factory_));
  keys().remove(key(factory_).name, event("decrypt_key.removed"));
  EXPECT_EQ(store_->verify_audit_chain(), before + 2);
}

}  // namespace
}  // namespace estia::store::test
