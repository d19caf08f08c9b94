// SPDX-License-Identifier: Apache-2.0
// simplereenroll: which certificate may be renewed when, and by whom.
#include "tests/store/renewal_fixture.h"

namespace estia::store::test {
namespace {

using ca::Operation;
using std::chrono::hours;
using std::chrono::seconds;

TEST_F(RenewalTest, RenewAndRekeyAreToldApart_EST_4_2_2_d) {
  const auto key = new_key();
  const auto first = as_ra(key, "CN=device-1");
  EXPECT_EQ(last_audit("certificate.issued"), "kind=enrol");
  const Bytes same = estia::test::make_csr_der(key, "CN=device-1");
  const std::string renewed = " renewed=" + to_hex(first.serial());
  EXPECT_EQ(renew(first, same).kind, ca::Kind::renew);
  EXPECT_EQ(last_audit("certificate.intent"), "kind=renew" + renewed);
  EXPECT_EQ(last_audit("certificate.issued"), "kind=renew" + renewed);
  EXPECT_EQ(renew(first, csr_for("CN=device-1")).kind, ca::Kind::rekey);
  EXPECT_EQ(last_audit("certificate.issued"), "kind=rekey" + renewed);
  EXPECT_EQ(request(first, Operation::simpleenroll, same).kind, ca::Kind::enrol);
}

TEST_F(RenewalTest, TheWindowOpensWhenAtMostSoMuchIsLeft) {
  const auto first = as_ra(new_key(), "CN=device-1");
  alias_.renewal_window = hours(24);
  for (const auto operation : {Operation::simplereenroll, Operation::simpleenroll}) {
    now_.at = first.not_after() - hours(24) - seconds(1);
    EXPECT_EQ(refusal(first, csr_for("CN=device-1"), operation), "reenroll.too_early");
    EXPECT_NE(error_text([&] {
                static_cast<void>(request(first, operation, csr_for("CN=device-1")));
              }).find(utc_text(first.not_after() - hours(24))),
              std::string::npos);
    now_.at = first.not_after() - hours(24);
    EXPECT_EQ(refusal(first, csr_for("CN=device-1"), operation), "");
  }
}

TEST_F(RenewalTest, AnExpiredCertificateIsRenewedWithinTheGraceOnly) {
  const auto first = as_ra(new_key(), "CN=device-1");
  const auto at = [&](seconds past, Operation operation = Operation::simplereenroll) {
    now_.at = first.not_after() + past;
    return refusal(first, csr_for("CN=device-1"), operation);
  };
  EXPECT_EQ(at(seconds(-1)), "");
  EXPECT_EQ(at(seconds(0)), "auth.certificate_untrusted") << "OpenSSL counts the last second";
  alias_.expired_grace = hours(1);
  EXPECT_EQ(at(seconds(-1)), "");
  EXPECT_EQ(at(seconds(0)), "");
  EXPECT_EQ(at(seconds(3599)), "");
  EXPECT_EQ(at(seconds(3600)), "auth.certificate_untrusted");
  EXPECT_EQ(at(seconds(1), Operation::simpleenroll), "auth.required") << "another way may be open";
  alias_.authenticators = {ca::Authenticator::client_certificate};
  EXPECT_EQ(at(seconds(1), Operation::simpleenroll), "auth.certificate_untrusted");
  now_.at = first.not_before() - seconds(1);
  EXPECT_EQ(refusal(first, csr_for("CN=device-1")), "auth.certificate_untrusted")
      << "notAfter is all that is relaxed";
  revoke(first, ca::kCertificateHold);
  EXPECT_EQ(at(seconds(1)), "auth.certificate_revoked");
}

TEST_F(RenewalTest, TheGraceIsNotForTheCa) {
  snapshot_.certificate_profiles.at("device").validity = hours(24 * 36500);
  const auto first = as_ra(new_key(), "CN=device-1");
  ASSERT_EQ(first.not_after(), authority_.ca.certificate().not_after());
  alias_.expired_grace = hours(1);
  now_.at = first.not_after() + seconds(1);
  EXPECT_EQ(refusal(first, csr_for("CN=device-1")), "auth.certificate_untrusted");
}

TEST_F(RenewalTest, ARegistrationAuthorityRenewsItselfAndOthersOnlyBySwitch_EST_3_7_d) {
  const auto ra = listed_ra();
  static_cast<void>(as_ra(new_key(), "CN=device-1", {"dns:one.acme.example"}));
  const Bytes csr = csr_for("CN=DEVICE-1", {"dns:ONE.acme.example"});
  EXPECT_EQ(refusal(ra, csr), "reenroll.names_differ");
  EXPECT_EQ(refusal(ra, csr_for("CN=device-ra")), "");
  alias_.allow_renewal_on_behalf = true;
  const auto renewed = renew(ra, csr);
  EXPECT_EQ(username_of(renewed.certificate), "device-1");
  EXPECT_EQ(renewed.certificate.subject().text(), "CN=device-1") << "as granted before";
  EXPECT_EQ(renewed.kind, ca::Kind::rekey);
  EXPECT_EQ(refusal(ra, csr_for("CN=device-ra")), "") << "its own names: itself";
}

TEST_F(RenewalTest, OnBehalfNeedsALiveCertificateOfExactlyTheseNamesInScope) {
  const auto ra = listed_ra();
  alias_.allow_renewal_on_behalf = true;
  const auto first = as_ra(new_key(), "CN=device-1", {"dns:one.acme.example"});
  const Bytes csr = csr_for("CN=device-1", {"dns:one.acme.example"});
  EXPECT_EQ(refusal(ra, csr_for("CN=device-1")), "reenroll.nothing_to_renew") << "other SAN";
  EXPECT_EQ(refusal(ra, csr_for("CN=device-2")), "reenroll.nothing_to_renew") << "nobody";
  alias_.certificate_profile = "other";
  snapshot_.certificate_profiles.emplace("other", estia::test::device_profile())
      .first->second.name = "other";
  EXPECT_EQ(refusal(ra, csr), "reenroll.nothing_to_renew") << "of another profile";
  alias_.certificate_profile = "device";
  const auto scope = alias_.ra_scope;
  alias_.ra_scope = ca::NameScope::parse("CN=made-*,dns=*");
  EXPECT_EQ(refusal(ra, csr), "enroll.outside_scope");
  alias_.ra_scope = scope;
  revoke(first, ca::kCertificateHold);
  EXPECT_EQ(refusal(ra, csr), "reenroll.nothing_to_renew") << "on hold";
  store_->registry().release(first.serial(), event("certificate.released", first.serial()));
  store_->end_entities().set_disabled("device-1", true, event("entity.disabled"));
  EXPECT_EQ(refusal(ra, csr), "entity.disabled");
  store_->end_entities().set_disabled("device-1", false, event("entity.enabled"));
  EXPECT_EQ(refusal(ra, csr), "");
  alias_.mode = ca::AliasMode::client;
  EXPECT_EQ(refusal(ra, csr), "reenroll.names_differ") << "RA mode only";
}

TEST_F(RenewalTest, NeitherTheRenewedNorTheRasOwnCertificateMayHaveExpired) {
  const auto ra = listed_ra();
  alias_.allow_renewal_on_behalf = true;
  alias_.expired_grace = hours(24);
  auto& profile = snapshot_.certificate_profiles.at("device");
  profile.validity = hours(1);
  const auto brief = as_ra(new_key(), "CN=device-1");
  profile.validity = hours(24 * 700);
  static_cast<void>(as_ra(new_key(), "CN=device-2"));
  now_.at = brief.not_after() - seconds(1);
  EXPECT_EQ(refusal(ra, csr_for("CN=device-1")), "");
  now_.at = ra.not_after() + seconds(1);
  EXPECT_EQ(refusal(ra, csr_for("CN=device-2")), "own_certificate.not_valid");
  EXPECT_EQ(refusal(ra, csr_for("CN=device-ra")), "") << "the grace is for its own renewal";
}

TEST_F(RenewalTest, OnBehalfHoldsTheRulesOfEveryRenewal) {
  const auto ra = listed_ra();
  alias_.allow_renewal_on_behalf = true;
  const auto key = new_key();
  const auto first = as_ra(key, "CN=device-1");
  alias_.allow_same_key = false;
  EXPECT_EQ(refusal(ra, estia::test::make_csr_der(key, "CN=device-1")), "reenroll.key_reuse");
  alias_.renewal_window = hours(1);
  EXPECT_EQ(refusal(ra, csr_for("CN=device-1")), "reenroll.too_early");
}

TEST_F(RenewalTest, ARepetitionOnBehalfIsJudgedLikeTheFirstTime_EST_4_2_3_f) {
  const auto ra = listed_ra();
  make_due_on_behalf();
  const Bytes csr = csr_for("CN=device-1");
  const auto first = renew(ra, csr);
  const auto again = renew(ra, csr);
  EXPECT_EQ(again.certificate, first.certificate);
  EXPECT_EQ(again.kind, ca::Kind::rekey);
  EXPECT_EQ(refusal(ra, csr_for("CN=device-1")), "reenroll.too_early") << "the new one counts";
  now_.at += std::chrono::minutes(3);
  EXPECT_EQ(refusal(ra, csr), "reenroll.too_early") << "no repetition any more";
}

/// What the first copy superseded is what the second one renews (was refused before).
TEST_F(RenewalTest, ARepetitionOnBehalfFindsWhatItsFirstCopySuperseded) {
  const auto ra = listed_ra();
  snapshot_.certificate_profiles.at("device").single_active = true;
  make_due_on_behalf();
  const Bytes csr = csr_for("CN=device-1");
  const auto first = renew(ra, csr);
  EXPECT_EQ(renew(ra, csr).certificate, first.certificate);
  EXPECT_EQ(refusal(ra, csr_for("CN=device-1")), "reenroll.too_early") << "the new one counts";
  revoke(first.certificate, ca::kCertificateHold);
  EXPECT_EQ(refusal(ra, csr), "own_certificate.superseded") << "what was superseded is no way in";
  EXPECT_EQ(refusal(ra, csr_for("CN=device-1")), "own_certificate.superseded");
  now_.at += std::chrono::minutes(3);
  EXPECT_EQ(refusal(ra, csr), "reenroll.nothing_to_renew") << "and is forgotten after the window";
  store_->registry().release(first.certificate.serial(),
                             event("certificate.released", first.certificate.serial()));
  EXPECT_EQ(refusal(ra, csr), "reenroll.too_early") << "no repetition any more";
}

/// What the answer is called no longer tells that it answers this request.
TEST_F(RenewalTest, ARepetitionOnBehalfWithNewNamesFindsItsAnswer) {
  const auto ra = listed_ra();
  auto& profile = snapshot_.certificate_profiles.at("device");
  profile.single_active = true;
  const auto key = new_key();
  static_cast<void>(as_ra(new_key(), "CN=device-1"));
  alias_.allow_renewal_on_behalf = true;
  alias_.allow_change_subject_name_at_renewal = true;
  alias_.retry_window = std::chrono::minutes(2);
  const Bytes csr = estia::test::csr_for_new_names(key, "CN=device-1", {},
                                                   estia::test::new_names("CN=device-77"));
  const auto first = renew(ra, csr);
  EXPECT_EQ(first.certificate.subject().text(), "CN=device-77");
  EXPECT_EQ(renew(ra, csr).certificate, first.certificate);
}

/// A username alone must not open what its names do not: whom an operator registered under other
/// names is not inside the scope because a certificate is.
TEST_F(RenewalTest, OnBehalfTheNamesOnRecordMustBeInScopeToo) {
  const auto ra = listed_ra();
  ca::EndEntity entity{.username = "device-9", .ca = "issuing"};
  entity.end_entity_profile = "device";
  entity.certificate_profile = "device";
  entity.subject = crypto::Name::from_text("CN=device-9,O=Elsewhere");
  store_->end_entities().add(entity, event("entity.added"));
  const auto scope = std::exchange(alias_.ra_scope, ca::NameScope::parse("any"));
  static_cast<void>(as_ra(new_key(), "CN=device-9"));
  alias_.allow_renewal_on_behalf = true;
  EXPECT_EQ(refusal(ra, csr_for("CN=device-9")), "");
  alias_.ra_scope = scope;
  EXPECT_EQ(refusal(ra, csr_for("CN=device-9")), "entity.other_scope");
}

// Revoked after it was looked at, and before the intent.
TEST_F(RenewalTest, ACertificateRevokedMeanwhileIsNotRenewedForItsHolder) {
  const auto first = as_ra(new_key(), "CN=device-1");
  revoke(first, ca::kCertificateHold);
  ca::Intent intent = intent_of(7);
  intent.renewed = first.serial();
  const auto outcome = store_->registry().intend(intent, event("certificate.intent"));
  const auto* refused = std::get_if<ca::Refused>(&outcome);
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->id, "own_certificate.revoked_meanwhile");
  EXPECT_EQ(rows(), 1);
}

TEST_F(RenewalTest, WhatIsInForceStandsWithTheLongestFirst) {
  static_cast<void>(as_ra(new_key(), "CN=device-1"));
  const auto newest = [&] {
    auto& profile = snapshot_.certificate_profiles.at("device");
    profile.validity += hours(1);
    return as_ra(new_key(), "CN=device-1");
  }();
  static_cast<void>(as_ra(new_key(), "CN=device-2"));
  const auto found =
      store_->registry().in_force({.username = "device-1",
                                   .ca = "issuing",
                                   .profile = "device",
                                   .subject = crypto::Name::from_text("CN=device-1").canonical(),
                                   .at = now_.at});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found.front().serial, newest.serial());
}

}  // namespace
}  // namespace estia::store::test
