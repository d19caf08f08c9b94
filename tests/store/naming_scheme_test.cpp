// SPDX-License-Identifier: Apache-2.0
// RA mode: whose certificate a request becomes, by the alias's naming scheme.
#include <gtest/gtest.h>

#include "tests/store/enrollment_fixture.h"

namespace estia::store::test {
namespace {

using RaModeTest = EnrollmentTest;

TEST_F(RaModeTest, AKnownUsernameIsRenewedAndANewOneIsCreated) {
  const auto first = as_ra(new_key(), "CN=device-1");
  const auto second = as_ra(new_key(), "CN=device-1");
  const auto other = as_ra(new_key(), "CN=device-2");
  EXPECT_FALSE(first == second);
  EXPECT_EQ(username_of(first), username_of(second));
  EXPECT_EQ(username_of(other), "device-2");
  EXPECT_EQ(entities(), 2);
}

// Found by a hostile client: two spellings of one name were two end entities.
TEST_F(RaModeTest, AnotherSpellingOfTheSameNameIsTheSameEndEntity) {
  const auto first = as_ra(new_key(), "CN=device-A");
  const auto second = as_ra(new_key(), "CN=DEVICE-a");
  EXPECT_EQ(username_of(second), "device-A") << "the first spelling stays";
  EXPECT_EQ(username_of(first), username_of(second));
  EXPECT_EQ(entities(), 1);
}

TEST_F(RaModeTest, SchemeRandomMakesANewEndEntityEachTime) {
  alias_.name_scheme = ca::NameScheme::random;
  const auto first = as_ra(new_key(), "CN=device-1");
  const auto second = as_ra(new_key(), "CN=device-1");
  EXPECT_NE(username_of(first), username_of(second));
  EXPECT_EQ(entities(), 2);
}

TEST_F(RaModeTest, SchemeFixedIsOneEndEntityForAll) {
  alias_.name_scheme = ca::NameScheme::fixed;
  alias_.name_parameters = {"the line"};
  EXPECT_EQ(username_of(as_ra(new_key(), "CN=device-1")), "the line");
  EXPECT_EQ(username_of(as_ra(new_key(), "CN=device-2")), "the line");
  EXPECT_EQ(entities(), 1);
}

TEST_F(RaModeTest, AChangeOfTheStoredSubjectIsAuditedWithOldAndNew) {
  alias_.name_scheme = ca::NameScheme::fixed;
  alias_.name_parameters = {"the line"};
  static_cast<void>(as_ra(new_key(), "CN=device-1"));
  static_cast<void>(as_ra(new_key(), "CN=device-1"));
  const std::string changes = "SELECT count(*) FROM audit WHERE what = 'entity.changed'";
  EXPECT_EQ(sql_integer(path(), changes), 0);
  static_cast<void>(as_ra(new_key(), "CN=device-2"));
  EXPECT_EQ(sql_integer(path(), changes), 1);
  EXPECT_EQ(sql_text(path(),
                     "SELECT object || ' ' || detail FROM audit WHERE "
                     "what = 'entity.changed'"),
            "the line old=CN=device-1 new=CN=device-2");
  EXPECT_EQ(store_->end_entities().find("the line")->subject.text(), "CN=device-2");
  // Outside the scope nothing changes.
  EXPECT_EQ(ra_refusal("CN=server-1"), "enroll.outside_scope");
  EXPECT_EQ(store_->end_entities().find("the line")->subject.text(), "CN=device-2");
}

TEST_F(RaModeTest, AnEndEntityOfAnotherProfileOrCaCannotBeReachedByItsName) {
  static_cast<void>(as_ra(new_key(), "CN=device-1"));
  auto other = estia::test::device_profile();
  other.name = "other";
  snapshot_.certificate_profiles.emplace("other", other);
  alias_.certificate_profile = "other";
  EXPECT_EQ(ra_refusal("CN=device-1"), "entity.other_profile");
  EXPECT_EQ(ra_refusal("CN=device-2"), "");
  alias_.certificate_profile = "device";
  auto names = estia::test::device_names();
  names.name = "other";
  snapshot_.end_entity_profiles.emplace("other", names);
  alias_.end_entity_profile = "other";
  EXPECT_EQ(ra_refusal("CN=device-1"), "entity.other_profile");
  alias_.end_entity_profile = "device";
  auto sister = authority_.ca;
  sister.name = "sister";
  snapshot_.cas.emplace("sister", sister);
  alias_.ca = "sister";
  EXPECT_EQ(ra_refusal("CN=device-1"), "entity.other_ca");
}

TEST_F(RaModeTest, ADisabledEndEntityGetsNothing) {
  static_cast<void>(as_ra(new_key(), "CN=device-1"));
  store_->end_entities().set_disabled("device-1", true, event("entity.disabled"));
  EXPECT_EQ(ra_refusal("CN=device-1"), "entity.disabled");
  store_->end_entities().set_disabled("device-1", false, event("entity.enabled"));
  EXPECT_EQ(ra_refusal("CN=device-1"), "");
}

TEST_F(RaModeTest, RequestsThatRaceForOneUsernameMakeOneEndEntity) {
  in_threads(32, [&](std::size_t) { static_cast<void>(as_ra(new_key(), "CN=device-1")); });
  EXPECT_EQ(entities(), 1);
  EXPECT_EQ(rows(), 32);
}

/// Two aliases that would make one username an end entity of two CAs: exactly one wins.
TEST_F(RaModeTest, TwoCasThatRaceForOneUsernameGiveOneCertificate) {
  auto sister = authority_.ca;
  sister.name = "sister";
  snapshot_.cas.emplace("sister", sister);
  for (int round = 0; round < 20; ++round) {
    const std::string subject = "CN=device-r" + std::to_string(round);
    const auto who = ra();
    ca::Alias at_sister = alias_;
    at_sister.ca = "sister";
    std::array<std::string, 2> outcome;
    in_threads(2, [&](std::size_t i) {
      const auto csr = crypto::Csr::parse(estia::test::make_csr_der(new_key(), subject));
      outcome[i] = error_id([&] {
        static_cast<void>(enrollment_.enroll(snapshot_, i == 0 ? alias_ : at_sister, who,
                                             ca::Operation::simpleenroll, csr));
      });
    });
    EXPECT_EQ(outcome[0] + outcome[1], "entity.other_ca") << "one wins, one is refused";
  }
  EXPECT_EQ(rows(), 20);
}

}  // namespace
}  // namespace estia::store::test
