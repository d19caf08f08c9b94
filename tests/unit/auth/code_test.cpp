// SPDX-License-Identifier: Apache-2.0
// Client mode: enrolment codes, wherever they stand.
#include "server/auth/authenticate.h"

#include "server/ca/naming.h"
#include "tests/unit/auth/authentication_fixture.h"

namespace estia::auth {
namespace {

class CodeTest : public AuthenticationTest {
 protected:
  CodeTest() {
    alias.mode = ca::AliasMode::client;
    alias.authenticators = {Authenticator::code};
    alias.username_field = "CN";
    snapshot.accounts.clear();
  }

  /// The end entity, or the id of the refusal.
  std::string by_csr(const std::string& subject, const std::string& challenge = {}) {
    const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
    const auto csr = crypto::Csr::parse(test::make_csr_der(key, subject, {}, challenge));
    const std::vector<Certificate> chain;
    const std::optional<std::string> authorization;
    const std::string address = "192.0.2.7";
    try {
      return "code " +
             authentication
                 .authenticate_by_csr(snapshot, alias, csr, {chain, authorization, address})
                 .entity()
                 ->username;
    } catch (const Error& error) {
      return std::string(to_string(error.code())) + " " + error.id();
    }
  }
};

TEST_F(CodeTest, AChallengePasswordIsTheCodeOfTheNamedEndEntity) {
  EXPECT_EQ(outcome({}, std::nullopt), "not yet");
  EXPECT_EQ(by_csr("CN=device-7", "the code"), "code device-7");
  EXPECT_EQ(by_csr("CN=DEVICE-7", "the code"), "code device-7");
}

TEST_F(CodeTest, AWrongCodeAnUnknownAndADisabledEndEntityAreRefusedAlike) {
  // Without HTTP authentication there is nothing to challenge with (EST-3.2.3-d).
  EXPECT_EQ(by_csr("CN=device-7", "another"), "forbidden auth.wrong_password");
  EXPECT_EQ(by_csr("CN=device-8", "the code"), "forbidden auth.wrong_password");
  entities.entity.disabled = true;
  EXPECT_EQ(by_csr("CN=device-7", "the code"), "forbidden auth.wrong_password");
  EXPECT_EQ(by_csr("CN=device-7"), "forbidden auth.required");
  EXPECT_EQ(by_csr("O=device-7", "the code"), "malformed enroll.no_username");
}

TEST_F(CodeTest, TheCodeMayBeAPartOfTheSubject) {
  alias.code_source = ca::CodeSource::dn_part;
  alias.code_field = "OU";
  EXPECT_EQ(by_csr("CN=device-7,OU=the code"), "code device-7");
  EXPECT_EQ(by_csr("CN=device-7,OU=wrong"), "forbidden auth.wrong_password");
  EXPECT_EQ(by_csr("CN=device-7", "the code"), "forbidden auth.required");
  // The whole subject names the end entity: without the code that stands in it.
  alias.username_field = ca::kWholeSubject;
  entities.entity.username = "device-7";
  EXPECT_EQ(by_csr("CN=device-7,OU=the code"), "forbidden auth.wrong_password");
}

// Bug: a field was read under one name and taken out under another, so that the code stayed in the
// subject.
TEST_F(CodeTest, TheFieldThatIsReadIsTheOneThatIsTakenOut) {
  alias.code_source = ca::CodeSource::dn_part;
  for (const auto& [field, holds, other] :
       {std::tuple{"SN", "serialNumber", "SN"}, std::tuple{"SURNAME", "SN", "serialNumber"},
        std::tuple{"2.5.4.11", "OU", "O"}}) {
    alias.code_field = field;
    alias.username_field = "CN";
    const auto subject = [](const char* attribute) {
      return std::string("CN=device-7,") + attribute + "=the code";
    };
    EXPECT_EQ(by_csr(subject(holds)), "code device-7") << field;
    EXPECT_EQ(by_csr(subject(other)), "forbidden auth.required") << field;
    EXPECT_EQ(ca::without_field(crypto::Name::from_text(subject(holds)), field).text(),
              "CN=device-7")
        << field;
  }
}

TEST_F(CodeTest, BasicHoldsUsernameAndCode) {
  alias.code_source = ca::CodeSource::basic;
  const auto by_header = [&](const std::string& user_pass) {
    const std::string address = "192.0.2.7";
    try {
      const auto identity = authentication.authenticate(
          snapshot, alias, Operation::simpleenroll, {{}, std::optional(basic(user_pass)), address});
      return identity ? identity->who() : std::string("not yet");
    } catch (const Error& error) {
      return std::string(to_string(error.code())) + " " + error.id();
    }
  };
  EXPECT_EQ(by_header("device-7:the code"), "code of device-7");
  EXPECT_EQ(by_header("device-7:wrong"), "unauthenticated auth.wrong_password");
  EXPECT_EQ(by_header("device-9:the code"), "unauthenticated auth.wrong_password");
  EXPECT_EQ(outcome({}, std::nullopt), "unauthenticated auth.required");
}

TEST_F(CodeTest, ASpentCodeCountsLikeAWrongOne) {
  entities.code.uses_left = 0;
  const std::string address = "192.0.2.7";
  const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
  const auto csr = crypto::Csr::parse(test::make_csr_der(key, "CN=device-7", {}, "the code"));
  for (int i = 0; i < 10; ++i) {
    const auto identity =
        authentication.authenticate_by_csr(snapshot, alias, csr, {{}, std::nullopt, address});
    EXPECT_TRUE(identity.code_is_spent());
    EXPECT_EQ(
        authentication
            .spent_code(alias, identity, address, Error(ErrorCode::conflict, "code.spent", ""))
            .id(),
        "auth.wrong_password");
  }
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(by_csr("CN=device-7", "wrong " + std::to_string(i)), "forbidden auth.wrong_password");
  }
  EXPECT_EQ(by_csr("CN=device-7", "the code"), "too_many auth.back_off") << "once, as the others";
}

/// Of many that come at once with one code the first gets a certificate, all others one answer.
TEST_F(CodeTest, OneCodeRepeatedIsNoGuessing) {
  for (int i = 0; i < 63; ++i) {
    EXPECT_EQ(by_csr("CN=device-7", "wrong"), "forbidden auth.wrong_password");
  }
}

TEST_F(CodeTest, GuessingACodeIsSlowedDown_EST_6_c) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(by_csr("CN=device-7", "wrong " + std::to_string(i)), "forbidden auth.wrong_password");
  }
  EXPECT_EQ(by_csr("CN=device-7", "the code"), "too_many auth.back_off");
  EXPECT_EQ(by_csr("CN=Device-7", "the code"), "too_many auth.back_off");
}

TEST_F(CodeTest, ACertificateThatComesFirstInTheListNeedsNoCode) {
  alias.authenticators = {Authenticator::client_certificate, Authenticator::code};
  EXPECT_EQ(outcome({known()}, std::nullopt), "self device-1");
  EXPECT_EQ(outcome({issue(authority, {})}, std::nullopt), "not yet");
}

}  // namespace
}  // namespace estia::auth
