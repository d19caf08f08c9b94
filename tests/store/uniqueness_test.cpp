// SPDX-License-Identifier: Apache-2.0
// A subject and a key belong to the end entity that had them first, at each CA (EJBCA's "Enforce
// Unique DN" and "Enforce Unique Public Keys"), and may be wanted new each time.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>

#include "tests/store/enrollment_fixture.h"

namespace estia::store::test {
namespace {

class UniquenessTest : public EnrollmentTest {
 protected:
  ca::CertificationAuthority& ca() { return snapshot_.cas.at("issuing"); }
  /// What refuses this enrolment, "" if nothing does.
  std::string refusal(const crypto::PrivateKey& key, const std::string& subject) {
    return error_id([&] { static_cast<void>(as_ra(key, subject)); });
  }
  std::string renewal_refusal(const crypto::Certificate& own, const crypto::PrivateKey& key) {
    return error_id([&] {
      static_cast<void>(enroll(self(own), ca::Operation::simplereenroll, key, "CN=device-1"));
    });
  }
};

TEST_F(UniquenessTest, WithSchemeRandomAKnownSubjectIsRefused) {
  alias_.name_scheme = ca::NameScheme::random;
  EXPECT_EQ(refusal(new_key(), "CN=device-1"), "");
  EXPECT_EQ(refusal(new_key(), "CN=device-1"), "unique.subject");
  EXPECT_EQ(refusal(new_key(), "CN= DEVICE-1 "), "unique.subject") << "RFC 5280 7.1";
  EXPECT_EQ(refusal(new_key(), "CN=device-1,O=Acme"), "enroll.outside_scope");
  EXPECT_EQ(refusal(new_key(), "CN=device-2"), "");
  EXPECT_EQ(rows(), 2) << "what is refused leaves no certificate";
  EXPECT_EQ(entities(), 2) << "and no end entity";
}

TEST_F(UniquenessTest, WithSchemeDnAKnownSubjectIsRenewed) {
  const auto key = new_key();
  const auto first = as_ra(key, "CN=device-1");
  alias_.retry_window = std::chrono::seconds(0);
  const auto second = as_ra(new_key(), "CN=device-1");
  const auto third = as_ra(key, "CN=DEVICE-1");
  EXPECT_EQ(username_of(first), username_of(second));
  EXPECT_EQ(username_of(first), username_of(third));
  EXPECT_EQ(renewal_refusal(first, new_key()), "");
  EXPECT_EQ(renewal_refusal(second, key), "") << "its own key, used before";
}

TEST_F(UniquenessTest, ADeviceWithARandomUsernameRenewsItself) {
  alias_.name_scheme = ca::NameScheme::random;
  const auto first = as_ra(new_key(), "CN=device-1");
  EXPECT_EQ(renewal_refusal(first, new_key()), "");
}

TEST_F(UniquenessTest, AKeyOfAnotherEndEntityIsRefused) {
  const auto key = new_key();
  EXPECT_EQ(refusal(key, "CN=device-1"), "");
  EXPECT_EQ(refusal(key, "CN=device-2"), "unique.key");
  EXPECT_EQ(entities(), 1);
  EXPECT_EQ(refusal(new_key(), "CN=device-2"), "");
}

TEST_F(UniquenessTest, ARefusalIsForbiddenAndTellsTheLogAloneWhoseItIs) {
  const auto key = new_key();
  alias_.name_scheme = ca::NameScheme::username;
  static_cast<void>(as_ra(key, "CN=device-1"));
  alias_.name_scheme = ca::NameScheme::random;
  for (const auto& [used, subject] : {std::pair{key, "CN=device-2"}, {new_key(), "CN=device-1"}}) {
    try {
      static_cast<void>(as_ra(used, subject));
      FAIL() << subject;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::forbidden);
      EXPECT_EQ(std::string(error.what()).find("device"), std::string::npos) << error.what();
      EXPECT_EQ(error.detail(), "held by CN=device-1");
    }
  }
}

TEST_F(UniquenessTest, SwitchedOffEitherIsIssued) {
  alias_.retry_window = std::chrono::seconds(0);
  const auto key = new_key();
  alias_.name_scheme = ca::NameScheme::random;
  EXPECT_EQ(refusal(key, "CN=device-1"), "");
  ca().unique_subject = false;
  EXPECT_EQ(refusal(new_key(), "CN=device-1"), "");
  EXPECT_EQ(refusal(key, "CN=device-1"), "unique.key") << "each has its own switch";
  ca().unique_key = false;
  EXPECT_EQ(refusal(key, "CN=device-1"), "");
  ca().unique_subject = true;
  EXPECT_EQ(refusal(key, "CN=device-1"), "unique.subject");
  EXPECT_EQ(refusal(key, "CN=device-2"), "");
  EXPECT_EQ(rows(), 4);
}

TEST_F(UniquenessTest, WhoIsOneOfSeveralHoldersMayRenew) {
  alias_.name_scheme = ca::NameScheme::random;
  ca().unique_subject = false;
  ca().unique_key = false;
  const auto key = new_key();
  const auto first = as_ra(key, "CN=device-1");
  alias_.retry_window = std::chrono::seconds(0);
  const auto second = as_ra(key, "CN=device-1");
  ca().unique_subject = true;
  ca().unique_key = true;
  EXPECT_EQ(renewal_refusal(first, key), "");
  EXPECT_EQ(renewal_refusal(second, key), "");
}

TEST_F(UniquenessTest, ARepetitionIsAnsweredAndNotCompared) {  // EST-4.2.3-f
  ca().enforce_key_renewal = true;
  const auto key = new_key();
  const auto first = as_ra(key, "CN=device-1");
  EXPECT_EQ(as_ra(key, "CN=device-1"), first);
  EXPECT_EQ(rows(), 1);
}

TEST_F(UniquenessTest, EnforcedKeyRenewalRefusesTheKeysThatOneHad) {
  ca().enforce_key_renewal = true;
  alias_.retry_window = std::chrono::seconds(0);
  const auto key = new_key();
  const auto first = as_ra(key, "CN=device-1");
  EXPECT_EQ(refusal(key, "CN=device-1"), "unique.key_used");
  EXPECT_EQ(renewal_refusal(first, key), "unique.key_used");
  EXPECT_EQ(renewal_refusal(first, new_key()), "");
  EXPECT_EQ(renewal_refusal(first, key), "unique.key_used") << "not only the last one";
  EXPECT_EQ(refusal(key, "CN=device-2"), "unique.key");
  ca().unique_key = false;
  EXPECT_EQ(refusal(key, "CN=device-2"), "") << "of this end entity only";
  EXPECT_EQ(error_category([&] { static_cast<void>(as_ra(key, "CN=device-2")); }), "malformed");
}

TEST_F(UniquenessTest, AnotherCaMayKnowTheSameSubjectAndKey) {
  auto sister = authority_.ca;
  sister.name = "sister";
  snapshot_.cas.emplace("sister", sister);
  alias_.name_scheme = ca::NameScheme::random;
  alias_.retry_window = std::chrono::seconds(0);
  const auto key = new_key();
  EXPECT_EQ(refusal(key, "CN=device-1"), "");
  alias_.ca = "sister";
  EXPECT_EQ(refusal(key, "CN=device-1"), "");
  EXPECT_EQ(refusal(new_key(), "CN=device-1"), "unique.subject");
}

TEST_F(UniquenessTest, AnEmptySubjectIsNotCompared) {
  alias_.name_scheme = ca::NameScheme::fixed;
  alias_.ra_scope = ca::NameScope::parse("any");
  snapshot_.end_entity_profiles.at("device").subject[0].required = false;
  for (const std::string host : {"a", "b"}) {
    alias_.name_parameters = {host};
    EXPECT_EQ(error_id([&] {
                static_cast<void>(as_ra(new_key(), "", {"dns:" + host + ".acme.example"}));
              }),
              "");
  }
  EXPECT_EQ(entities(), 2);
}

TEST_F(UniquenessTest, WhatATokenErrorUndidIsFreeForOthers) {  // D5: claims are given back
  const auto failing =
      crypto::PrivateKey(crypto::EvpPkeyPtr(::EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")),
                         authority_.key.public_key());
  OneKey keys(failing);
  ca::Enrollment enrollment(issuer_, store_->end_entities(), keys, server_keys_, system_clock_);
  alias_.name_scheme = ca::NameScheme::random;
  const auto key = new_key();
  const auto csr = crypto::Csr::parse(estia::test::make_csr_der(key, "CN=device-1"));
  const auto who = ra();
  EXPECT_THROW(static_cast<void>(
                   enrollment.enroll(snapshot_, alias_, who, ca::Operation::simpleenroll, csr)),
               Error);
  EXPECT_EQ(refusal(key, "CN=device-1"), "");
}

TEST_F(UniquenessTest, OfManyThatRaceWithOneKeyOneGetsACertificate) {
  const auto key = new_key();
  const auto who = ra();
  std::mutex mutex;
  std::map<std::string, int> outcomes;
  in_threads(16, [&](std::size_t i) {
    const std::string id = error_id([&] {
      static_cast<void>(
          enroll(who, ca::Operation::simpleenroll, key, "CN=device-" + std::to_string(i)));
    });
    const std::lock_guard lock(mutex);
    ++outcomes[id];
  });
  EXPECT_EQ(outcomes, (std::map<std::string, int>{{"", 1}, {"unique.key", 15}}));
  EXPECT_EQ(rows(), 1);
  EXPECT_EQ(entities(), 1);
}

TEST_F(UniquenessTest, OfManyThatRaceForOneSubjectOneGetsACertificate) {
  alias_.name_scheme = ca::NameScheme::random;
  const auto who = ra();
  std::atomic<int> issued = 0;
  std::atomic<int> refused = 0;
  in_threads(16, [&](std::size_t) {
    const std::string id = error_id([&] {
      static_cast<void>(enroll(who, ca::Operation::simpleenroll, new_key(), "CN=device-1"));
    });
    issued += id.empty();
    refused += id == "unique.subject";
  });
  EXPECT_EQ(issued, 1);
  EXPECT_EQ(refused, 15);
  EXPECT_EQ(rows(), 1);
}

/// The registry by itself: what counts as held.
class HeldTest : public StoreTest {
 protected:
  /// What a request of "intruder" for the subject, or with the key, of device 1 gets.
  [[nodiscard]] std::string refusal(bool subject, bool key) {
    ca::Intent intent = intent_of(++number_);
    intent.username = "intruder-" + std::to_string(number_);
    intent.subject = subject ? intent_of(1).subject : intent.subject;
    intent.key_fingerprint = key ? intent_of(1).key_fingerprint : intent.key_fingerprint;
    const auto outcome =
        store_->registry().intend(intent, event("certificate.intent", intent.serial));
    const auto* refused = std::get_if<ca::Refused>(&outcome);
    return refused != nullptr ? refused->id : "";
  }
  void expect_held() {
    EXPECT_EQ(refusal(true, false), "unique.subject");
    EXPECT_EQ(refusal(false, true), "unique.key");
    EXPECT_EQ(refusal(false, false), "");
  }

  std::unique_ptr<Store> store_ = create();

 private:
  std::uint64_t number_ = 100;
};

TEST_F(HeldTest, AnOpenIntentCountsForASignatureMayExist) {
  intend(*store_, intent_of(1));
  expect_held();
  store_.reset();
  store_ = open();
  expect_held();
}

TEST_F(HeldTest, RevokedAndExpiredCertificatesCount) {
  intend(*store_, intent_of(1));
  static_cast<void>(commit(*store_, serial_of(1)));
  clock_.advance(std::chrono::hours(24 * 3650));
  expect_held();
  store_->registry().revoke(serial_of(1), {clock_.now(), 1}, event("certificate.revoked"));
  expect_held();
}

TEST_F(HeldTest, WhatAStoreOfBeforeHoldsCounts) {
  intend(*store_, intent_of(1));
  static_cast<void>(commit(*store_, serial_of(1)));
  store_.reset();
  // Schema 2, which had neither lock rows nor this column.
  sql_run(path(),
          "DROP TABLE decrypt_key; DROP TABLE anchor_crl; DROP TABLE uniqueness_lock; DROP INDEX "
          "certificate_subject; DROP "
          "INDEX certificate_key;"
          "DROP INDEX end_entity_subject; ALTER TABLE end_entity DROP COLUMN subject_key;"
          "ALTER TABLE certificate DROP COLUMN single_active;"
          "CREATE INDEX certificate_subject ON certificate(ca, subject);"
          "CREATE INDEX certificate_key ON certificate(ca, key_fingerprint);"
          "PRAGMA user_version = 2");
  store_ = open();
  EXPECT_GT(sql_integer(path(), "PRAGMA user_version"), 2);
  expect_held();
  EXPECT_EQ(store_->registry().find(serial_of(1))->certificate, certificate_of(serial_of(1)));
}

TEST_F(HeldTest, AFailedIntentDoesNotCount) {
  intend(*store_, intent_of(1));
  store_->registry().fail(serial_of(1), event("certificate.failed"));
  EXPECT_EQ(refusal(true, true), "");
}

TEST_F(HeldTest, TheCasOwnCertificatesBelongToNobody) {
  ca::Intent own = intent_of(1);
  own.username.clear();
  own.entity.rule = ca::EntityRule::none;
  intend(*store_, own);
  expect_held();
  own.serial = serial_of(2);
  const auto outcome = store_->registry().intend(own, event("certificate.intent"));
  ASSERT_TRUE(std::holds_alternative<ca::Refused>(outcome)) << "nor is it a renewal";
  EXPECT_EQ(std::get<ca::Refused>(outcome).detail, "held by a certificate of the CA's own");
}

TEST_F(HeldTest, ARefusalUsesNoCodeUp) {
  intend(*store_, intent_of(1));
  ca::Intent intent = intent_of(2);
  intend(*store_, intent);
  store_->end_entities().set_code(
      "device-2",
      {.id = Bytes(16, 1), .hash = {"sha256", Bytes(16, 1), Bytes(32, 2)}, .uses_left = 1},
      event("code.set"));
  intent.serial = serial_of(3);
  intent.key_fingerprint = intent_of(1).key_fingerprint;
  intent.entity.rule = ca::EntityRule::must_exist;
  intent.entity.code_id = Bytes(16, 1);
  EXPECT_TRUE(std::holds_alternative<ca::Refused>(
      store_->registry().intend(intent, event("certificate.intent"))));
  EXPECT_EQ(sql_integer(path(), "SELECT uses_left FROM enrollment_code"), 1);
}

}  // namespace
}  // namespace estia::store::test
