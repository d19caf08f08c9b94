// SPDX-License-Identifier: Apache-2.0
#include "server/auth/authenticate.h"

#include "tests/unit/auth/authentication_fixture.h"

namespace estia::auth {
namespace {

TEST_F(AuthenticationTest, TheRightPasswordIsARegistrationAuthority) {
  EXPECT_EQ(outcome({}, basic("ra:right")), "ra account est");
}

TEST_F(AuthenticationTest, WrongPasswordUnknownUserAndGarbageAreRefusedAlike_EST_3_2_3_f) {
  for (const std::string& field :
       {basic("ra:wrong"), basic("nobody:right"), basic("ra2:right"), basic(":right"), basic("ra:"),
        std::string("Bearer abc"), std::string("Basic %%%")}) {
    EXPECT_EQ(outcome({}, field), "unauthenticated auth.wrong_password") << field;
  }
}

TEST_F(AuthenticationTest, NothingIs401WhereBasicIsOnElse403_EST_3_2_3_d) {
  EXPECT_EQ(outcome({}, std::nullopt), "unauthenticated auth.required");
  alias.authenticators = {Authenticator::client_certificate};
  EXPECT_EQ(outcome({}, std::nullopt), "forbidden auth.required");
  EXPECT_EQ(outcome({}, basic("ra:right")), "forbidden auth.required");
  alias.authenticators = {};
  EXPECT_EQ(outcome({known()}, basic("ra:right")), "forbidden auth.required");
}

TEST_F(AuthenticationTest, AnOwnCertificateIsItsOwnEndEntity) {
  EXPECT_EQ(outcome({known()}, std::nullopt), "self device-1");
}

TEST_F(AuthenticationTest, CmcRaCountsOnlyWithClientAuthAndFromThisCa_EST_3_7_c) {
  const std::string cmc_ra(crypto::oid::kCmcRa);
  const std::string client(crypto::oid::kClientAuth);
  const std::string server(crypto::oid::kServerAuth);
  EXPECT_EQ(outcome({known({.usages = {cmc_ra, client}})}, std::nullopt), "ra certificate");
  alias.authenticators = {Authenticator::client_certificate};
  // The TLS server's own certificate has cmcRA and serverAuth, not clientAuth.
  EXPECT_TRUE(
      outcome({known({.usages = {cmc_ra, server}})}, std::nullopt).starts_with("forbidden auth."));
  EXPECT_TRUE(outcome({known({.usages = {cmc_ra}})}, std::nullopt).starts_with("forbidden auth."));
  EXPECT_EQ(outcome({known({.usages = {}})}, std::nullopt), "forbidden auth.no_client_auth");
  const test::SoftwareCa foreign = test::make_software_ca("foreign");
  const Certificate foreign_ra = issue(foreign, {.usages = {cmc_ra, client}});
  record(foreign_ra);
  EXPECT_EQ(outcome({foreign_ra}, std::nullopt), "forbidden auth.certificate_untrusted");
  EXPECT_EQ(outcome({foreign_ra, foreign.ca.certificate()}, std::nullopt),
            "forbidden auth.certificate_untrusted");
}

TEST_F(AuthenticationTest, ACaOfTheSameNameAndAnotherKeyIsForeign) {
  alias.authenticators = {Authenticator::client_certificate};
  const Certificate forged = issue(test::make_software_ca(), {});
  record(forged);
  EXPECT_EQ(outcome({forged}, std::nullopt), "forbidden auth.certificate_untrusted");
}

TEST_F(AuthenticationTest, ACertificateTheStoreDoesNotKnowIsRefused_EST_4_2_2_f) {
  alias.authenticators = {Authenticator::client_certificate};
  const Certificate certificate = issue(authority, {});
  EXPECT_EQ(outcome({certificate}, std::nullopt), "forbidden auth.certificate_unknown");
  record(certificate).state = ca::CertificateState::intended;
  EXPECT_EQ(outcome({certificate}, std::nullopt), "forbidden auth.certificate_unknown");
  record(certificate).state = ca::CertificateState::failed;
  EXPECT_EQ(outcome({certificate}, std::nullopt), "forbidden auth.certificate_unknown");
  record(certificate).ca = "sister";
  EXPECT_EQ(outcome({certificate}, std::nullopt), "forbidden auth.certificate_unknown");
  record(certificate).certificate = known().der();
  EXPECT_EQ(outcome({certificate}, std::nullopt), "forbidden auth.certificate_unknown");
  record(certificate).username = "";
  EXPECT_EQ(outcome({certificate}, std::nullopt), "forbidden auth.certificate_unknown");
  record(certificate);
  EXPECT_EQ(outcome({certificate}, std::nullopt), "self device-1");
}

TEST_F(AuthenticationTest, RevokedExpiredAndFutureCertificatesAreRefused) {
  alias.authenticators = {Authenticator::client_certificate};
  const Certificate revoked = known();
  record(revoked).revocation = ca::Revocation{clock.at, 1};
  EXPECT_EQ(outcome({revoked}, std::nullopt), "forbidden auth.certificate_revoked");
  // For the repetition of the request that ended it; the store's transaction decides.
  record(revoked).revocation = ca::Revocation{clock.at, ca::kSuperseded};
  EXPECT_EQ(outcome({revoked}, std::nullopt), "self device-1");
  alias.ra_certificates = {{.sha256 = revoked.fingerprint_sha256()}};
  EXPECT_EQ(outcome({revoked}, std::nullopt), "forbidden auth.certificate_revoked") << "no RA's";
  alias.ra_certificates.clear();
  EXPECT_EQ(outcome({known({.age = hours(25)})}, std::nullopt),
            "forbidden auth.certificate_untrusted");
  EXPECT_EQ(outcome({known({.age = hours(-1)})}, std::nullopt),
            "forbidden auth.certificate_untrusted");
}

TEST_F(AuthenticationTest, TheIssuersOwnCertificateIsNobody) {
  alias.authenticators = {Authenticator::client_certificate};
  record(authority.ca.certificate());
  EXPECT_TRUE(outcome({authority.ca.certificate()}, std::nullopt).starts_with("forbidden auth."));
}

TEST_F(AuthenticationTest, WhereBasicIsAcceptedABadCertificateCountsAsAbsent) {
  const Certificate unknown = issue(authority, {});
  EXPECT_EQ(outcome({unknown}, std::nullopt), "unauthenticated auth.required");
  EXPECT_EQ(outcome({unknown}, basic("ra:right")), "ra account est");
  alias.authenticators = {Authenticator::basic};
  EXPECT_EQ(outcome({known()}, std::nullopt), "unauthenticated auth.required");
}

TEST_F(AuthenticationTest, AWrongPasswordRefusesEvenBesideAGoodCertificate) {
  EXPECT_EQ(outcome({known()}, basic("ra:wrong")), "unauthenticated auth.wrong_password");
}

TEST_F(AuthenticationTest, OfTwoValidCredentialsTheAliassOrderDecides) {
  EXPECT_EQ(outcome({known()}, basic("ra:right")), "self device-1");
  alias.authenticators = {Authenticator::basic, Authenticator::client_certificate};
  EXPECT_EQ(outcome({known()}, basic("ra:right")), "ra account est");
}

TEST_F(AuthenticationTest, RenewalTakesTheCertificateAndNeverAPassword) {
  EXPECT_EQ(outcome({known()}, std::nullopt, Operation::simplereenroll), "self device-1");
  EXPECT_EQ(outcome({}, basic("ra:right"), Operation::simplereenroll),
            "forbidden auth.certificate_required");
  EXPECT_EQ(outcome({issue(authority, {})}, basic("ra:right"), Operation::simplereenroll),
            "forbidden auth.certificate_unknown");
  alias.authenticators = {Authenticator::basic};
  EXPECT_EQ(outcome({known()}, std::nullopt, Operation::simplereenroll), "self device-1");
}

TEST_F(AuthenticationTest, GuessingIsSlowedDownForThatAccountOnly_EST_6_c) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(outcome({}, basic("ra:wrong")), "unauthenticated auth.wrong_password");
  }
  EXPECT_EQ(outcome({}, basic("ra:right")), "too_many auth.back_off");
  EXPECT_EQ(outcome({}, basic("nobody:x")), "unauthenticated auth.wrong_password");
  clock.at += std::chrono::seconds(60);
  EXPECT_EQ(outcome({}, basic("ra:right")), "ra account est");
}

TEST_F(AuthenticationTest, AnUnknownUserIsSlowedDownLikeAKnownOne) {
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(outcome({}, basic("nobody:x")));
  }
  EXPECT_EQ(outcome({}, basic("nobody:x")), "too_many auth.back_off");
}

TEST_F(AuthenticationTest, WhereBothAreNeededOneIsNotEnough) {
  alias.authenticators = {Authenticator::certificate_and_basic};
  const Certificate ra =
      known({.usages = {std::string(crypto::oid::kClientAuth), std::string(crypto::oid::kCmcRa)}});
  EXPECT_EQ(outcome({ra}, basic("ra:right")), "ra account est");
  EXPECT_EQ(outcome({ra}, std::nullopt), "unauthenticated auth.required");
  EXPECT_EQ(outcome({}, basic("ra:right")), "unauthenticated auth.required");
  EXPECT_EQ(outcome({ra}, basic("ra:wrong")), "unauthenticated auth.wrong_password");
  EXPECT_EQ(outcome({issue(authority, {})}, basic("ra:right")),
            "forbidden auth.certificate_unknown");
}

TEST_F(AuthenticationTest, OfBothTheNarrowerRightsCount) {
  alias.authenticators = {Authenticator::certificate_and_basic};
  EXPECT_EQ(outcome({known()}, basic("ra:right")), "self device-1");
}

TEST_F(AuthenticationTest, AListedCertificateIsARegistrationAuthorityWithoutCmcRa) {
  alias.authenticators = {Authenticator::client_certificate};
  const Certificate listed = known();
  alias.ra_certificates = {{.sha256 = listed.fingerprint_sha256()}};
  EXPECT_EQ(outcome({listed}, std::nullopt), "ra certificate");
  EXPECT_EQ(outcome({known()}, std::nullopt), "self device-1");
  const Certificate stranger = issue(test::make_software_ca("foreign"), {});
  alias.ra_certificates = {{.sha256 = stranger.fingerprint_sha256()}};
  EXPECT_EQ(outcome({stranger}, std::nullopt), "forbidden auth.certificate_untrusted");
}

}  // namespace
}  // namespace estia::auth
