// SPDX-License-Identifier: Apache-2.0
#include "server/ca/registry.h"

#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

class RegistryTest : public StoreTest {
 protected:
  [[nodiscard]] static std::string refusal(const ca::IntentOutcome& outcome) {
    const auto* refused = std::get_if<ca::Refused>(&outcome);
    return refused == nullptr ? "" : refused->id;
  }
  [[nodiscard]] std::int64_t entities() const {
    return sql_integer(path(), "SELECT count(*) FROM end_entity");
  }
  void fail(const Bytes& serial) {
    store_->registry().fail(serial, event("certificate.failed", serial));
  }
  void revoke(const Bytes& serial) {
    store_->registry().revoke(serial, {clock_.now(), 1}, event("certificate.revoked", serial));
  }
  void hold(const Bytes& serial) {
    store_->registry().revoke(serial, {clock_.now(), ca::kCertificateHold},
                              event("certificate.held", serial));
  }
  void release(const Bytes& serial) {
    store_->registry().release(serial, event("certificate.released", serial));
  }

  std::unique_ptr<Store> store_ = create();
};

TEST_F(RegistryTest, AnIntentIsFoundWithEverythingThatWasRecorded) {
  const ca::Intent intent = intent_of(7);
  intend(*store_, intent);
  const auto record = store_->registry().find(intent.serial);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->serial, intent.serial);
  EXPECT_EQ(record->ca, "issuing");
  EXPECT_EQ(record->alias, "est");
  EXPECT_EQ(record->username, "device-7");
  EXPECT_EQ(record->profile, "device");
  EXPECT_EQ(record->state, ca::CertificateState::intended);
  EXPECT_EQ(record->tbs, intent.tbs);
  EXPECT_TRUE(record->certificate.empty());
  EXPECT_EQ(record->recorded_at, clock_.now());
  EXPECT_FALSE(record->revocation);
}

TEST_F(RegistryTest, ASerialNobodyRecordedIsNotFound) {
  EXPECT_FALSE(store_->registry().find(serial_of(1)));
  EXPECT_FALSE(store_->registry().find({}));
}

TEST_F(RegistryTest, ACommittedCertificateIsIssued) {
  const ca::Intent intent = intent_of(1);
  intend(*store_, intent);
  EXPECT_EQ(commit(*store_, intent.serial), certificate_of(intent.serial));
  const auto record = store_->registry().find(intent.serial);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->state, ca::CertificateState::issued);
  EXPECT_EQ(record->certificate, certificate_of(intent.serial));
}

TEST_F(RegistryTest, ASecondCommitReturnsTheFirstCertificateAndLeavesNoSecondAuditRow) {
  const ca::Intent intent = intent_of(1);
  intend(*store_, intent);
  const Bytes first = commit(*store_, intent.serial);
  const std::uint64_t rows = store_->verify_audit_chain();
  const Bytes other(50, 0x31);
  EXPECT_EQ(store_->registry().commit(intent.serial, other, event("certificate.issued")), first);
  EXPECT_EQ(store_->registry().find(intent.serial)->certificate, first);
  EXPECT_EQ(store_->verify_audit_chain(), rows);
}

TEST_F(RegistryTest, CommitOfAnUnknownSerialIsADefect) {
  const auto action = [&] { static_cast<void>(commit(*store_, serial_of(9))); };
  EXPECT_EQ(error_id(action), "registry.unknown_serial");
  EXPECT_EQ(error_category(action), "internal");
}

TEST_F(RegistryTest, CommitAfterFailIsAConflict) {
  const ca::Intent intent = intent_of(1);
  intend(*store_, intent);
  fail(intent.serial);
  const auto action = [&] { static_cast<void>(commit(*store_, intent.serial)); };
  EXPECT_EQ(error_id(action), "registry.intent_closed");
  EXPECT_EQ(error_category(action), "conflict");
  EXPECT_TRUE(store_->registry().find(intent.serial)->certificate.empty());
}

TEST_F(RegistryTest, FailAfterCommitChangesNothing) {
  const ca::Intent intent = intent_of(1);
  intend(*store_, intent);
  static_cast<void>(commit(*store_, intent.serial));
  const std::uint64_t rows = store_->verify_audit_chain();
  fail(intent.serial);
  EXPECT_EQ(store_->registry().find(intent.serial)->state, ca::CertificateState::issued);
  EXPECT_EQ(store_->verify_audit_chain(), rows);
  EXPECT_EQ(entities(), 1);
}

TEST_F(RegistryTest, FailOfAnUnknownSerialIsADefect) {
  EXPECT_EQ(error_id([&] { fail(serial_of(9)); }), "registry.unknown_serial");
}

TEST_F(RegistryTest, ASerialIsTakenForEverAlsoAfterAFailure) {
  const ca::Intent intent = intent_of(1);
  intend(*store_, intent);
  fail(intent.serial);
  const auto outcome = store_->registry().intend(intent, event("certificate.intent"));
  EXPECT_EQ(refusal(outcome), "serial.taken");
}

TEST_F(RegistryTest, ARefusedIntentLeavesNothingBehind) {
  intend(*store_, intent_of(1));
  const std::uint64_t rows = store_->verify_audit_chain();
  ca::Intent second = intent_of(2);
  second.serial = serial_of(1);
  EXPECT_EQ(refusal(store_->registry().intend(second, event("certificate.intent"))),
            "serial.taken");
  EXPECT_EQ(entities(), 1);
  EXPECT_EQ(store_->verify_audit_chain(), rows);
  EXPECT_EQ(store_->registry().find(serial_of(1))->username, "device-1");
}

TEST_F(RegistryTest, ARenewalNeedsItsEndEntity) {
  ca::Intent renewal = intent_of(1);
  renewal.entity.rule = ca::EntityRule::must_exist;
  EXPECT_EQ(refusal(store_->registry().intend(renewal, event("certificate.intent"))),
            "username.unknown");
  EXPECT_FALSE(store_->registry().find(renewal.serial));
  intend(*store_, intent_of(1));
  renewal.serial = serial_of(2);
  intend(*store_, renewal);
}

TEST_F(RegistryTest, ARenewalAtAnotherCaIsRefused) {
  intend(*store_, intent_of(1));
  ca::Intent renewal = intent_of(1);
  renewal.serial = serial_of(2);
  renewal.entity.rule = ca::EntityRule::must_exist;
  renewal.ca = "other";
  EXPECT_EQ(refusal(store_->registry().intend(renewal, event("certificate.intent"))),
            "entity.other_ca");
}

TEST_F(RegistryTest, FailRemovesTheEndEntityThatExistsOnlyBecauseOfIt) {
  intend(*store_, intent_of(1));
  ASSERT_EQ(entities(), 1);
  fail(serial_of(1));
  EXPECT_EQ(entities(), 0);
  ca::Intent renewal = intent_of(1);
  renewal.serial = serial_of(2);
  renewal.entity.rule = ca::EntityRule::must_exist;
  EXPECT_EQ(refusal(store_->registry().intend(renewal, event("certificate.intent"))),
            "username.unknown");
}

TEST_F(RegistryTest, FailKeepsAnEndEntityThatAnotherCertificateUses) {
  intend(*store_, intent_of(1));
  ca::Intent second = intent_of(1);
  second.serial = serial_of(2);
  intend(*store_, second);
  fail(serial_of(1));
  EXPECT_EQ(entities(), 1);
  fail(serial_of(2));
  EXPECT_EQ(entities(), 0) << "the last intent gives the claim back";
}

TEST_F(RegistryTest, FailOfALaterIntentKeepsTheEndEntityOfTheFirst) {
  intend(*store_, intent_of(1));
  ca::Intent second = intent_of(1);
  second.serial = serial_of(2);
  intend(*store_, second);
  fail(serial_of(2));
  EXPECT_EQ(entities(), 1);
}

TEST_F(RegistryTest, ACaCertificateHasNoEndEntity) {
  ca::Intent intent = intent_of(1);
  intent.username.clear();
  intent.entity = {};
  intend(*store_, intent);
  EXPECT_EQ(entities(), 0);
}

TEST_F(RegistryTest, RevokeMarksAnIssuedCertificate) {
  intend(*store_, intent_of(1));
  static_cast<void>(commit(*store_, serial_of(1)));
  revoke(serial_of(1));
  const auto record = store_->registry().find(serial_of(1));
  ASSERT_TRUE(record->revocation);
  EXPECT_EQ(record->revocation->reason, 1);
  EXPECT_EQ(record->revocation->at, clock_.now());
  EXPECT_EQ(record->state, ca::CertificateState::issued);
}

TEST_F(RegistryTest, AnOpenIntentCanBeRevokedAndStaysSoWhenItIsCommitted) {
  intend(*store_, intent_of(1));
  revoke(serial_of(1));
  static_cast<void>(commit(*store_, serial_of(1)));
  const auto record = store_->registry().find(serial_of(1));
  EXPECT_EQ(record->state, ca::CertificateState::issued);
  EXPECT_TRUE(record->revocation);
}

TEST_F(RegistryTest, RevokeOfAnUnknownSerialIsNotFound) {
  EXPECT_EQ(error_id([&] { revoke(serial_of(1)); }), "registry.unknown_serial");
  EXPECT_EQ(error_category([&] { revoke(serial_of(1)); }), "not_found");
}

TEST_F(RegistryTest, ASecondRevocationIsAConflictAndTheFirstStands) {
  intend(*store_, intent_of(1));
  revoke(serial_of(1));
  const Instant first = clock_.now();
  const std::uint64_t rows = store_->verify_audit_chain();
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(error_id([&] { revoke(serial_of(1)); }), "registry.already_revoked");
  EXPECT_EQ(error_category([&] { revoke(serial_of(1)); }), "conflict");
  EXPECT_EQ(store_->registry().find(serial_of(1))->revocation->at, first);
  EXPECT_EQ(store_->verify_audit_chain(), rows);
}

TEST_F(RegistryTest, AHeldCertificateIsAsGoodAsBeforeOnceReleased) {
  intend(*store_, intent_of(1));
  static_cast<void>(commit(*store_, serial_of(1)));
  hold(serial_of(1));
  ASSERT_TRUE(store_->registry().find(serial_of(1))->revocation);
  EXPECT_EQ(store_->registry().find(serial_of(1))->revocation->reason, ca::kCertificateHold);
  release(serial_of(1));
  EXPECT_FALSE(store_->registry().find(serial_of(1))->revocation);
  EXPECT_EQ(sql_text(path(),
                     "SELECT group_concat(what, ' ') FROM (SELECT what FROM audit ORDER BY "
                     "sequence DESC LIMIT 2)"),
            "certificate.released certificate.held");
  store_.reset();
  EXPECT_FALSE(open()->registry().find(serial_of(1))->revocation);
}

TEST_F(RegistryTest, AHeldCertificateCanBeRevokedForGood) {
  intend(*store_, intent_of(1));
  hold(serial_of(1));
  clock_.advance(std::chrono::hours(1));
  revoke(serial_of(1));
  EXPECT_EQ(store_->registry().find(serial_of(1))->revocation->reason, 1);
  EXPECT_EQ(store_->registry().find(serial_of(1))->revocation->at, clock_.now());
  EXPECT_EQ(error_id([&] { release(serial_of(1)); }), "registry.not_held");
  EXPECT_EQ(store_->registry().find(serial_of(1))->revocation->reason, 1);
}

TEST_F(RegistryTest, HoldAndReleaseRefuseWhatDoesNotFit) {
  EXPECT_EQ(error_id([&] { hold(serial_of(1)); }), "registry.unknown_serial");
  EXPECT_EQ(error_id([&] { release(serial_of(1)); }), "registry.unknown_serial");
  EXPECT_EQ(error_category([&] { release(serial_of(1)); }), "not_found");
  intend(*store_, intent_of(1));
  intend(*store_, intent_of(2));
  EXPECT_EQ(error_id([&] { release(serial_of(1)); }), "registry.not_held");
  EXPECT_EQ(error_category([&] { release(serial_of(1)); }), "conflict");
  hold(serial_of(1));
  revoke(serial_of(2));
  const std::uint64_t rows = store_->verify_audit_chain();
  EXPECT_EQ(error_id([&] { hold(serial_of(1)); }), "registry.already_held");
  EXPECT_EQ(error_id([&] { hold(serial_of(2)); }), "registry.already_revoked");
  EXPECT_EQ(error_category([&] { hold(serial_of(1)); }), "conflict");
  EXPECT_EQ(store_->verify_audit_chain(), rows);
}

TEST_F(RegistryTest, IntentsOfThisProcessAreNotListedAsOpen) {
  intend(*store_, intent_of(1));
  EXPECT_TRUE(store_->registry().open_intents().empty());
}

TEST_F(RegistryTest, IntentsOfAnEarlierProcessAreListedUntilTheyHaveAResult) {
  for (const std::uint64_t number : {1U, 2U, 3U, 4U}) {
    intend(*store_, intent_of(number));
  }
  static_cast<void>(commit(*store_, serial_of(1)));
  fail(serial_of(2));
  revoke(serial_of(4));
  store_.reset();
  store_ = open();
  const auto left = store_->registry().open_intents();
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].serial, serial_of(3));
  EXPECT_EQ(left[0].tbs, intent_of(3).tbs);
  EXPECT_EQ(left[1].serial, serial_of(4));
  EXPECT_TRUE(left[1].revocation);
  static_cast<void>(commit(*store_, serial_of(3)));
  EXPECT_EQ(store_->registry().open_intents().size(), 1U);
}

TEST_F(RegistryTest, WhatTheSchemaForbidsIsRefusedAndNothingElseIsLost) {
  ca::Intent no_tbs = intent_of(1);
  no_tbs.tbs.clear();
  EXPECT_EQ(error_id([&] { intend(*store_, no_tbs); }), "store.refused");
  ca::Intent long_serial = intent_of(2);
  long_serial.serial.push_back(0);
  EXPECT_EQ(error_id([&] { intend(*store_, long_serial); }), "store.refused");
  ca::Intent no_serial = intent_of(3);
  no_serial.serial.clear();
  EXPECT_EQ(error_id([&] { intend(*store_, no_serial); }), "store.refused");
  intend(*store_, intent_of(4));
  EXPECT_FALSE(store_->stats().failed);
  EXPECT_EQ(store_->verify_audit_chain(), 1U);
}

TEST_F(RegistryTest, TextWithZeroOctetsAndQuotesComesBackAsItWent) {
  ca::Intent intent = intent_of(1);
  intent.username = std::string("a\0b'; DROP TABLE certificate; --", 32);
  intent.profile.clear();
  intend(*store_, intent);
  const auto record = store_->registry().find(intent.serial);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->username, intent.username);
  EXPECT_EQ(record->profile, "");
}

}  // namespace
}  // namespace estia::store::test
