// SPDX-License-Identifier: Apache-2.0
// RA mode: whose certificate a request becomes, by the alias's naming scheme.
#include <gtest/gtest.h>

#include <array>

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
  snapshot_.cas.at("issuing").unique_subject = false;  // uniqueness_test.cpp: the second is refused
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
  static_cast<void>(as_ra(new_key(), "CN=device-2", {"dns:a.acme.example"}));
  EXPECT_EQ(sql_integer(path(), changes), 1);
  EXPECT_EQ(sql_text(path(),
                     "SELECT object || ' ' || detail FROM audit WHERE "
                     "what = 'entity.changed'"),
            "the line old=CN=device-1 new=CN=device-2 dns:a.acme.example");
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

ca::EndEntity registered(const std::string& username, const std::string& subject,
                         const std::vector<std::string>& sans = {}) {
  return {.username = username,
          .ca = "issuing",
          .end_entity_profile = "device",
          .certificate_profile = "device",
          .subject = crypto::Name::from_text(subject),
          .san = sans.empty() ? crypto::GeneralNames() : crypto::GeneralNames::from_texts(sans),
          .created_at = from_unix_seconds(1'700'000'000)};
}

// Found by a reviewer: a username that folds, a prefix or a fixed name opened end entities whose
// names the registration authority may not name.
TEST_F(RaModeTest, AUsernameDoesNotOpenWhatTheScopeDoesNot) {
  store_->end_entities().add(registered("DEVICE-1", "CN=DEVICE-1,O=Office"), event("entity.added"));
  store_->end_entities().add(registered("plant-7", "CN=plant-7"), event("entity.added"));
  store_->end_entities().add(registered("device-8", "CN=device-8", {"dns:vault.office.example"}),
                             event("entity.added"));
  EXPECT_EQ(ra_refusal("CN=device-1"), "entity.other_scope");
  EXPECT_EQ(ra_refusal("CN=device-8"), "entity.other_scope");
  alias_.name_scheme = ca::NameScheme::fixed;
  alias_.name_parameters = {"plant-7"};
  EXPECT_EQ(ra_refusal("CN=device-9"), "entity.other_scope");
  EXPECT_EQ(rows(), 0);
  EXPECT_EQ(store_->end_entities().find("device-1")->subject.text(), "CN=DEVICE-1,O=Office");
}

// Found by two reviewers: an RA's request rewrote what the operator had registered.
TEST_F(RaModeTest, ARegistrationIsNotRewrittenByARegistrationAuthority) {
  store_->end_entities().add(registered("device-1", "CN=device-1", {"dns:a.acme.example"}),
                             event("entity.added"));
  EXPECT_EQ(ra_refusal("CN=device-1", {"dns:b.acme.example"}), "");
  const auto entity = store_->end_entities().find("device-1");
  EXPECT_EQ(entity->san.names().front().text, "a.acme.example");
  EXPECT_EQ(sql_integer(path(), "SELECT count(*) FROM audit WHERE what = 'entity.changed'"), 0);
}

TEST_F(RaModeTest, ARequestThatFailsLeavesTheNamesAsTheyWere) {  // D5
  alias_.name_scheme = ca::NameScheme::fixed;
  alias_.name_parameters = {"the line"};
  static_cast<void>(as_ra(new_key(), "CN=device-1"));
  const auto failing =
      crypto::PrivateKey(crypto::EvpPkeyPtr(::EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")),
                         authority_.key.public_key());
  OneKey keys(failing);
  ca::Enrollment enrollment(issuer_, store_->end_entities(), keys, server_keys_, system_clock_);
  const auto csr = crypto::Csr::parse(estia::test::make_csr_der(new_key(), "CN=device-2"));
  const auto who = ra();
  EXPECT_THROW(static_cast<void>(
                   enrollment.enroll(snapshot_, alias_, who, ca::Operation::simpleenroll, csr)),
               Error);
  EXPECT_EQ(store_->end_entities().find("the line")->subject.text(), "CN=device-1");
}

// Found by a reviewer: the code's row refers to the end entity, which would have gone.
TEST_F(RaModeTest, AnEndEntityWithACodeOutlivesItsOnlyIntent) {
  const ca::Intent intent = intent_of(1);
  intend(*store_, intent);
  store_->end_entities().set_code(
      "device-1",
      {.id = Bytes(16, 1), .hash = {"sha256", Bytes(16, 1), Bytes(32, 2)}, .uses_left = 1},
      event("code.set"));
  EXPECT_NO_THROW(store_->registry().fail(intent.serial, event("certificate.failed")));
  EXPECT_TRUE(store_->end_entities().find("device-1"));
}

TEST_F(RaModeTest, ARequestThatNamesNobodyIsTheClientsMistake) {
  alias_.name_scheme = ca::NameScheme::random;
  snapshot_.end_entity_profiles.at("device").subject[0].required = false;
  const auto csr = crypto::Csr::parse(estia::test::make_csr_der(new_key(), ""));
  const auto who = ra();
  EXPECT_EQ(error_id([&] {
              static_cast<void>(
                  enrollment_.enroll(snapshot_, alias_, who, ca::Operation::simpleenroll, csr));
            }),
            "enroll.subject_missing");
}

TEST_F(RaModeTest, NobodyNamesOthersWhereEndEntitiesAreRegistered) {
  const auto who = ra();
  alias_.mode = ca::AliasMode::client;
  alias_.end_entity_profile.clear();
  alias_.certificate_profile.clear();
  const auto csr = crypto::Csr::parse(estia::test::make_csr_der(new_key(), "CN=device-1"));
  EXPECT_EQ(error_id([&] {
              static_cast<void>(
                  enrollment_.enroll(snapshot_, alias_, who, ca::Operation::simpleenroll, csr));
            }),
            "enroll.not_own_names");
}

TEST_F(RaModeTest, TightenedRulesForNamesHoldForRenewalsToo) {
  alias_.ra_scope = ca::NameScope::parse("any");
  const auto first = as_ra(new_key(), "CN=device-1,O=Acme");
  const auto renew = [&] {
    return error_id([&] {
      static_cast<void>(
          enroll(self(first), ca::Operation::simplereenroll, new_key(), "CN=device-1,O=Acme"));
    });
  };
  EXPECT_EQ(renew(), "");
  std::erase_if(snapshot_.end_entity_profiles.at("device").subject,
                [](const auto& rule) { return rule.attribute == "O"; });
  EXPECT_EQ(renew(), "enroll.subject_attribute");
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
