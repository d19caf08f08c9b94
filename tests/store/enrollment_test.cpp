// SPDX-License-Identifier: Apache-2.0
// Enrollment and Issuer over the real store.
#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "tests/store/enrollment_fixture.h"

namespace estia::store::test {
namespace {

using ca::Operation;
using estia::test::make_csr_der;

TEST_F(EnrollmentTest, AnRaNamesOthersInsideItsScope) {
  const auto key = new_key();
  alias_.ra_scope = ca::NameScope::parse("CN=device-*,O=Acme");
  EXPECT_EQ(as_ra(key, "CN=device-1,O=Acme").subject().text(), "CN=device-1,O=Acme");
}

TEST_F(EnrollmentTest, WhatIsReleasedIsWhatIsRecorded) {
  const auto key = new_key();
  const auto certificate = as_ra(key, "CN=device-1", {"dns:a.acme.example"});
  EXPECT_TRUE(certificate.signed_by(authority_.key.public_key()));
  EXPECT_EQ(certificate.public_key(), key.public_key());
  EXPECT_TRUE(certificate.has_extended_key_usage(crypto::oid::kClientAuth));
  const auto record = store_->registry().find(certificate.serial());
  ASSERT_TRUE(record);
  EXPECT_EQ(record->state, ca::CertificateState::issued);
  EXPECT_EQ(record->certificate, certificate.der());
  EXPECT_EQ(record->tbs, certificate.tbs());
  EXPECT_EQ(record->username, "device-1");
}

TEST_F(EnrollmentTest, NamesOutsideTheScopeAreRefusedAndNothingIsRecorded) {
  EXPECT_EQ(error_id([&] { static_cast<void>(as_ra(new_key(), "CN=server-1")); }),
            "enroll.outside_scope");
  EXPECT_EQ(
      error_id([&] { static_cast<void>(as_ra(new_key(), "CN=device-1", {"dns:evil.example"})); }),
      "enroll.outside_scope");
  EXPECT_EQ(rows(), 0);
}

TEST_F(EnrollmentTest, ADeviceGetsItsOwnNamesAndNoOthers) {
  const auto first = as_ra(new_key(), "CN=device-1", {"dns:a.acme.example"});
  const auto own = self(first);
  EXPECT_NO_THROW(static_cast<void>(
      enroll(own, Operation::simpleenroll, new_key(), "CN=device-1", {"dns:A.acme.example"})));
  for (const auto operation : {Operation::simpleenroll, Operation::simplereenroll}) {
    const char* id =
        operation == Operation::simpleenroll ? "enroll.not_own_names" : "reenroll.names_differ";
    EXPECT_EQ(error_id([&] {
                static_cast<void>(
                    enroll(own, operation, new_key(), "CN=device-2", {"dns:a.acme.example"}));
              }),
              id);
    EXPECT_EQ(error_id([&] {
                static_cast<void>(
                    enroll(own, operation, new_key(), "CN=device-1", {"dns:b.acme.example"}));
              }),
              id);
    EXPECT_EQ(
        error_id([&] { static_cast<void>(enroll(own, operation, new_key(), "CN=device-1")); }), id);
  }
  EXPECT_EQ(rows(), 2);
}

TEST_F(EnrollmentTest, ReenrolmentComparesNamesByValueNotByBytes) {  // EST-4.2.2-b
  const auto first = as_ra(new_key(), "CN=device-1");
  EXPECT_NO_THROW(
      static_cast<void>(enroll(self(first), Operation::simplereenroll, new_key(), "CN=DEVICE-1")));
}

// Found by a hostile client: "device-a" matches "device-A", and is another device's name.
TEST_F(EnrollmentTest, ARenewalKeepsTheGrantedSpellingNotTheRequests) {
  const auto first = as_ra(new_key(), "CN=device-A", {"dns:a.acme.example"});
  const auto own = self(first);
  for (const auto operation : {Operation::simpleenroll, Operation::simplereenroll}) {
    const auto renewed = enroll(own, operation, new_key(), "CN=  DEVICE-a", {"dns:A.ACME.example"});
    EXPECT_EQ(renewed.subject(), first.subject());
    EXPECT_EQ(renewed.subject_alt_names().der(), first.subject_alt_names().der());
  }
}

// Found by a hostile client: it was the lint that noticed, as an internal error.
TEST_F(EnrollmentTest, ANameOverItsUpperBoundIsTheClientsMistake) {
  EXPECT_EQ(
      error_id([&] { static_cast<void>(as_ra(new_key(), "CN=device-" + std::string(58, 'a'))); }),
      "enroll.subject_too_long");
  EXPECT_NO_THROW(static_cast<void>(as_ra(new_key(), "CN=device-" + std::string(57, 'a'))));
}

TEST_F(EnrollmentTest, ARevokedCertificateGivesNoRights) {
  const auto first = as_ra(new_key(), "CN=device-1");
  alias_.authenticators = {ca::Authenticator::client_certificate};
  EXPECT_NO_THROW(static_cast<void>(self(first)));
  store_->registry().revoke(first.serial(), {.at = system_clock_.now(), .reason = 1},
                            event("certificate.revoked", first.serial()));
  EXPECT_EQ(error_id([&] { static_cast<void>(self(first)); }), "auth.certificate_revoked");
}

// Found by a hostile client: revoked after it was looked at, and before the intent.
TEST_F(EnrollmentTest, ACertificateRevokedMeanwhileGivesNoRights) {
  const auto first = as_ra(new_key(), "CN=device-1");
  const auto own = self(first);
  const auto second = as_ra(new_key(), "CN=device-1");
  const auto superseded = self(second);
  for (const auto& [serial, reason] : {std::pair{first.serial(), 1}, {second.serial(), 4}}) {
    store_->registry().revoke(serial, {.at = system_clock_.now(), .reason = reason},
                              event("certificate.revoked", serial));
  }
  const auto renewal = [&](const ca::Identity& identity) {
    return error_id([&] {
      static_cast<void>(enroll(identity, Operation::simplereenroll, new_key(), "CN=device-1"));
    });
  };
  EXPECT_EQ(renewal(own), "own_certificate.revoked_meanwhile");
  EXPECT_EQ(renewal(superseded), "own_certificate.superseded");
  EXPECT_EQ(rows(), 2);
}

// Found by a hostile client: the answer to an earlier request was given before anybody looked.
TEST_F(EnrollmentTest, ADisabledEndEntityDoesNotGetAnEarlierAnswerEither) {
  alias_.retry_window = std::chrono::minutes(2);
  const auto key = new_key();
  const auto first = as_ra(key, "CN=device-1");
  EXPECT_EQ(as_ra(key, "CN=device-1").serial(), first.serial());
  store_->end_entities().set_disabled("device-1", true, event("entity.disabled"));
  EXPECT_EQ(error_id([&] { static_cast<void>(as_ra(key, "CN=device-1")); }), "entity.disabled");
  EXPECT_EQ(rows(), 1);
}

TEST_F(EnrollmentTest, ACertificateOfAnotherProfileGivesNoRights) {
  const auto first = as_ra(new_key(), "CN=device-1");
  ca::CertificateProfile other = estia::test::device_profile();
  other.name = "other";
  snapshot_.certificate_profiles.emplace("other", other);
  alias_.certificate_profile = "other";
  EXPECT_EQ(
      error_id([&] {
        static_cast<void>(enroll(self(first), Operation::simplereenroll, new_key(), "CN=device-1"));
      }),
      "own_certificate.other_profile");
}

TEST_F(EnrollmentTest, ReenrolmentNeedsACertificate) {
  EXPECT_EQ(error_id([&] {
              static_cast<void>(enroll(ra(), Operation::simplereenroll, new_key(), "CN=device-1"));
            }),
            "reenroll.no_certificate");
}

TEST_F(EnrollmentTest, KeyReuseIsTheAliassChoice) {
  const auto key = new_key();
  const auto first = as_ra(key, "CN=device-1");
  EXPECT_NO_THROW(
      static_cast<void>(enroll(self(first), Operation::simplereenroll, key, "CN=device-1")));
  alias_.allow_same_key = false;
  EXPECT_EQ(error_id([&] {
              static_cast<void>(enroll(self(first), Operation::simplereenroll, key, "CN=device-1"));
            }),
            "reenroll.key_reuse");
}

TEST_F(EnrollmentTest, ARepeatedRequestGetsTheSameCertificate) {  // EST-4.2.3-f
  snapshot_.cas.at("issuing").unique_key = false;  // nothing but the name tells two of them apart
  const auto key = new_key();
  const auto first = as_ra(key, "CN=device-1");
  EXPECT_EQ(as_ra(key, "CN=device-1"), first);       // the CSR is signed anew, its bytes differ
  EXPECT_FALSE(as_ra(key, "CN=device-2") == first);  // another name is another request
  EXPECT_FALSE(as_ra(new_key(), "CN=device-1") == first);
  EXPECT_EQ(rows(), 3);
  alias_.retry_window = std::chrono::seconds(0);
  EXPECT_FALSE(as_ra(key, "CN=device-1") == first);
}

TEST_F(EnrollmentTest, TheSameRequestFrom64ThreadsGivesOneCertificate) {
  const auto key = new_key();
  std::mutex mutex;
  std::set<Bytes> certificates;
  in_threads(64, [&](std::size_t) {
    const auto certificate = as_ra(key, "CN=device-1");
    const std::lock_guard lock(mutex);
    certificates.insert(certificate.der());
  });
  EXPECT_EQ(certificates.size(), 1U);
  EXPECT_EQ(rows(), 1);
}

TEST_F(EnrollmentTest, ARequestLeftOpenByACrashIsSignedOverItsRecordedBytes) {  // D5
  const auto key = new_key();
  // A key that fails after the intent was recorded, and a registry that cannot close it: what a
  // kill -9 leaves.
  class Unclosable final : public ca::Registry {
   public:
    explicit Unclosable(ca::Registry& inner) : inner_(inner) {}
    ca::IntentOutcome intend(const ca::Intent& i, const ca::AuditEvent& a) override {
      return inner_.intend(i, a);
    }
    ca::IntentOutcome rehearse(const ca::Intent& i) override { return inner_.rehearse(i); }
    Bytes commit(const Bytes&, const Bytes&, const ca::AuditEvent&) override {
      throw Error(ErrorCode::store, "store.io", "gone");
    }
    void fail(const Bytes&, const ca::AuditEvent&) override {}
    std::optional<ca::CertificateRecord> find(const Bytes& s) const override {
      return inner_.find(s);
    }
    std::vector<ca::CertificateRecord> in_force(const ca::InForce& w) const override {
      return inner_.in_force(w);
    }
    std::vector<ca::CertificateRecord> of_end_entity(std::string_view username,
                                                     std::size_t limit) const override {
      return inner_.of_end_entity(username, limit);
    }
    std::vector<ca::CertificateRecord> open_intents() const override {
      return inner_.open_intents();
    }
    void revoke(const Bytes& s, const ca::Revocation& r, const ca::AuditEvent& a) override {
      inner_.revoke(s, r, a);
    }
    void release(const Bytes& s, const ca::AuditEvent& a) override { inner_.release(s, a); }

   private:
    ca::Registry& inner_;
  };
  Unclosable broken(store_->registry());
  ca::Issuer issuer(broken, system_clock_);
  ca::Enrollment enrollment(issuer, store_->end_entities(), keys_, server_keys_, system_clock_);
  const auto csr = crypto::Csr::parse(make_csr_der(key, "CN=device-1"));
  const auto who = ra();
  EXPECT_EQ(
      error_id([&] {
        static_cast<void>(enrollment.enroll(snapshot_, alias_, who, Operation::simpleenroll, csr));
      }),
      "store.io");
  ASSERT_EQ(rows(), 1);
  alias_.retry_window =
      std::chrono::seconds(0);  // an open intent is matched whatever the window says
  const auto certificate = as_ra(key, "CN=device-1");
  EXPECT_EQ(rows(), 1);
  EXPECT_EQ(store_->registry().find(certificate.serial())->tbs, certificate.tbs());
}

TEST_F(EnrollmentTest, ASignatureByAnotherKeyIsNeverReleased) {  // D3, T3
  const auto wrong = new_key();
  OneKey keys(wrong);
  ca::Enrollment enrollment(issuer_, store_->end_entities(), keys, server_keys_, system_clock_);
  const auto csr = crypto::Csr::parse(make_csr_der(new_key(), "CN=device-1"));
  EXPECT_EQ(
      error_id([&] {
        static_cast<void>(enrollment.enroll(snapshot_, alias_, ra(), Operation::simpleenroll, csr));
      }),
      "issuer.bad_signature");
  EXPECT_EQ(keys.distrusted, 1) << "its handle may name another key by now";
  EXPECT_EQ(sql_integer(path(), "SELECT count(*) FROM certificate WHERE state = 'issued'"), 0);
}

TEST_F(EnrollmentTest, ATokenErrorClosesTheIntentAndGivesTheClaimsBack) {
  // X25519 cannot sign: the simplest private key that always fails.
  const auto failing =
      crypto::PrivateKey(crypto::EvpPkeyPtr(::EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")),
                         authority_.key.public_key());
  OneKey keys(failing);
  ca::Enrollment enrollment(issuer_, store_->end_entities(), keys, server_keys_, system_clock_);
  const auto csr = crypto::Csr::parse(make_csr_der(new_key(), "CN=device-1"));
  EXPECT_THROW(
      static_cast<void>(enrollment.enroll(snapshot_, alias_, ra(), Operation::simpleenroll, csr)),
      Error);
  EXPECT_EQ(sql_integer(path(), "SELECT count(*) FROM certificate WHERE state = 'failed'"), 1);
  EXPECT_EQ(sql_integer(path(), "SELECT count(*) FROM end_entity"), 0);
}

}  // namespace
}  // namespace estia::store::test
