// SPDX-License-Identifier: Apache-2.0
#include "server/auth/authenticate.h"

#include <gtest/gtest.h>

#include <map>

#include "crypto/base/error.h"
#include "crypto/x509/certificate_builder.h"
#include "server/auth/password.h"
#include "tests/support/certificates.h"

namespace estia::auth {
namespace {

using ca::Authenticator;
using ca::Operation;
using crypto::Certificate;
using std::chrono::hours;

class FixedClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return at; }
  Instant at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
};

/// The seam's reading half over a map; the store's own tests cover the real one.
class Records final : public ca::Registry {
 public:
  [[nodiscard]] std::optional<ca::CertificateRecord> find(const Bytes& serial) const override {
    const auto found = records.find(serial);
    return found == records.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] ca::IntentOutcome intend(const ca::Intent&, const ca::AuditEvent&) override {
    return ca::Refused{};
  }
  [[nodiscard]] Bytes commit(const Bytes&, const Bytes&, const ca::AuditEvent&) override {
    return {};
  }
  void fail(const Bytes&, const ca::AuditEvent&) override {}
  [[nodiscard]] std::vector<ca::CertificateRecord> open_intents() const override { return {}; }
  void revoke(const Bytes&, const ca::Revocation&, const ca::AuditEvent&) override {}
  void release(const Bytes&, const ca::AuditEvent&) override {}

  std::map<Bytes, ca::CertificateRecord> records;
};

struct Leaf {
  std::vector<std::string> usages{std::string(crypto::oid::kClientAuth)};
  Bytes serial = ca::random_serial();
  hours age{1};
};

class AuthenticationTest : public testing::Test {
 protected:
  AuthenticationTest() {
    snapshot.cas.emplace("issuing", authority.ca);
    alias.name = "est";
    alias.ca = "issuing";
    alias.authenticators = {Authenticator::client_certificate, Authenticator::basic};
    snapshot.accounts.push_back({"est", "ra", hash_generated_secret(Secret("right"))});
    snapshot.accounts.push_back({"other", "ra2", hash_generated_secret(Secret("right"))});
  }

  [[nodiscard]] Certificate issue(const test::SoftwareCa& issuer, const Leaf& leaf) const {
    const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
    const auto& algorithm = crypto::SignatureAlgorithm::for_key(issuer.key.public_key());
    const Certificate& parent = issuer.ca.certificate();
    std::vector<crypto::Extension> extensions{
        crypto::subject_key_identifier(key.public_key().key_identifier()),
        crypto::authority_key_identifier(parent.subject_key_identifier())};
    if (!leaf.usages.empty()) {
      extensions.push_back(crypto::extended_key_usage(leaf.usages));
    }
    const Bytes tbs = crypto::build_tbs({.serial = leaf.serial,
                                         .issuer = parent.subject(),
                                         .subject = crypto::Name::from_text("CN=device-1"),
                                         .not_before = clock.at - leaf.age,
                                         .not_after = clock.at + hours(24) - leaf.age,
                                         .public_key = key.public_key(),
                                         .extensions = extensions},
                                        algorithm);
    return crypto::assemble_certificate(tbs, algorithm, issuer.key.sign(tbs, algorithm));
  }

  ca::CertificateRecord& record(const Certificate& certificate) {
    ca::CertificateRecord& entry = registry.records[certificate.serial()];
    entry.serial = certificate.serial();
    entry.ca = "issuing";
    entry.username = "device-1";
    entry.state = ca::CertificateState::issued;
    entry.certificate = certificate.der();
    return entry;
  }

  Certificate known(const Leaf& leaf = {}) {
    Certificate certificate = issue(authority, leaf);
    record(certificate);
    return certificate;
  }

  /// Role and who, or the id of the refusal.
  std::string outcome(const std::vector<Certificate>& chain,
                      const std::optional<std::string>& authorization,
                      Operation operation = Operation::simpleenroll) {
    const std::string address = "192.0.2.7";
    try {
      const ca::Identity identity = authentication.authenticate(
          snapshot, alias, operation, Presented{chain, authorization, address});
      return identity.role() == ca::Role::ra ? "ra " + identity.who().substr(0, 11)
                                             : "self " + identity.username();
    } catch (const Error& error) {
      return std::string(to_string(error.code())) + " " + error.id();
    }
  }

  static std::string basic(const std::string& user_pass) {
    return "Basic " + base64_encode(as_bytes(user_pass));
  }

  test::SoftwareCa authority = test::make_software_ca();
  FixedClock clock;
  Records registry;
  ca::Snapshot snapshot;
  ca::Alias alias;
  Authentication authentication{registry, clock};
};

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

}  // namespace
}  // namespace estia::auth
