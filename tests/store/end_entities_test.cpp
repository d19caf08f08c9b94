// SPDX-License-Identifier: Apache-2.0
#include "server/ca/end_entity.h"

#include <gtest/gtest.h>

#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

class EndEntitiesTest : public StoreTest {
 protected:
  static ca::EndEntity entity(const std::string& username) {
    return {.username = username,
            .ca = "issuing",
            .end_entity_profile = "device",
            .certificate_profile = "device",
            .subject = crypto::Name::from_text("CN=" + username),
            .san = crypto::GeneralNames::from_texts({"dns:a.example", "ip:10.0.0.1"}),
            .created_at = from_unix_seconds(1'700'000'000)};
  }
  void add(const std::string& username) {
    store_->end_entities().add(entity(username), event("entity.added"));
  }
  static ca::EnrollmentCode code(std::uint8_t number, int uses = 1) {
    return {.id = Bytes(16, number),
            .hash = {"sha256", Bytes(16, 1), Bytes(32, 2)},
            .uses_left = uses,
            .expires_at = from_unix_seconds(1'800'000'000)};
  }

  std::unique_ptr<Store> store_ = create();
};

TEST_F(EndEntitiesTest, WhatWasRegisteredIsFoundAgainAlsoAfterARestart) {
  add("Device-1");
  store_.reset();
  store_ = open();
  const auto found = store_->end_entities().find("device-1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->username, "Device-1");
  EXPECT_EQ(found->ca, "issuing");
  EXPECT_EQ(found->end_entity_profile, "device");
  EXPECT_EQ(found->certificate_profile, "device");
  EXPECT_EQ(found->subject.text(), "CN=Device-1");
  EXPECT_EQ(found->san.names().size(), 2U);
  EXPECT_FALSE(found->disabled);
  EXPECT_EQ(found->created_at, from_unix_seconds(1'700'000'000));
  EXPECT_FALSE(store_->end_entities().find("device-2"));
}

TEST_F(EndEntitiesTest, OneUsernameIsRegisteredOnceWhateverItsSpelling) {
  add("device-1");
  EXPECT_EQ(error_id([&] { add("DEVICE-1"); }), "entity.exists");
  std::atomic<int> added = 0;
  in_threads(32, [&](std::size_t) { added += error_id([&] { add("device-2"); }).empty() ? 1 : 0; });
  EXPECT_EQ(added, 1);
}

TEST_F(EndEntitiesTest, AreListedInOrderPageByPage) {
  for (const char* name : {"c", "a", "B", "d"}) {
    add(name);
  }
  const auto first = store_->end_entities().list("", 3);
  ASSERT_EQ(first.size(), 3U);
  EXPECT_EQ(first[0].username, "a");
  EXPECT_EQ(first[1].username, "B");
  const auto rest = store_->end_entities().list(first.back().username, 3);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].username, "d");
}

TEST_F(EndEntitiesTest, ANewCodeReplacesTheOldOnes) {
  add("device-1");
  store_->end_entities().set_code("device-1", code(1), event("code.set"));
  store_->end_entities().set_code("Device-1", code(2, 5), event("code.set"));
  const auto codes = store_->end_entities().codes("device-1", clock_.now());
  ASSERT_EQ(codes.size(), 1U);
  EXPECT_EQ(codes[0].id, Bytes(16, 2));
  EXPECT_EQ(codes[0].uses_left, 5);
  EXPECT_EQ(codes[0].hash.digest, Bytes(32, 2));
  EXPECT_EQ(codes[0].expires_at, from_unix_seconds(1'800'000'000));
  EXPECT_TRUE(store_->end_entities().codes("device-1", from_unix_seconds(1'800'000'000)).empty());
}

TEST_F(EndEntitiesTest, NobodyUnknownHasACodeOrAState) {
  EXPECT_EQ(error_id([&] { store_->end_entities().set_code("x", code(1), event("code.set")); }),
            "entity.unknown");
  EXPECT_EQ(error_id([&] { store_->end_entities().remove_codes("x", event("code.removed")); }),
            "entity.unknown");
  EXPECT_EQ(
      error_id([&] { store_->end_entities().set_disabled("x", true, event("entity.disabled")); }),
      "entity.unknown");
  EXPECT_EQ(store_->verify_audit_chain(), 0U) << "what did not happen is not in the audit trail";
}

}  // namespace
}  // namespace estia::store::test
