// SPDX-License-Identifier: Apache-2.0
// Client mode: registered end entities and their enrolment codes, over the real store.
#include <gtest/gtest.h>

#include <atomic>

#include "crypto/base/random.h"
#include "tests/store/enrollment_fixture.h"
#include "tests/support/new_names_request.h"

namespace estia::store::test {
namespace {

class ClientModeTest : public EnrollmentTest {
 protected:
  ClientModeTest() {
    alias_.mode = ca::AliasMode::client;
    alias_.end_entity_profile.clear();
    alias_.certificate_profile.clear();
    alias_.authenticators = {ca::Authenticator::code};
    alias_.username_field = "CN";
    alias_.ra_scope = {};
    snapshot_.accounts.clear();
    add("device-1", "CN=device-1,O=Acme", {"dns:one.acme.example"});
    set_code("device-1", "first code", 1);
  }

  void add(const std::string& username, const std::string& subject,
           const std::vector<std::string>& sans = {}) {
    store_->end_entities().add(
        {.username = username,
         .ca = "issuing",
         .end_entity_profile = "device",
         .certificate_profile = "device",
         .subject = crypto::Name::from_text(subject),
         .san = sans.empty() ? crypto::GeneralNames() : crypto::GeneralNames::from_texts(sans),
         .created_at = system_clock_.now()},
        event("entity.added"));
  }
  void set_code(const std::string& username, const std::string& code, int uses,
                std::optional<Instant> expires = std::nullopt) {
    Bytes id(16);
    random_fill(id);
    store_->end_entities().set_code(username,
                                    {.id = id,
                                     .hash = auth::hash_generated_secret(Secret(code)),
                                     .uses_left = uses,
                                     .expires_at = expires},
                                    event("code.set"));
  }

  crypto::Certificate enroll_with(const crypto::PrivateKey& key, const std::string& code,
                                  const std::string& subject = "CN=device-1",
                                  const std::vector<std::string>& sans = {}) {
    const auto csr = crypto::Csr::parse(estia::test::make_csr_der(key, subject, sans, code));
    const std::string address = "192.0.2.7";
    const ca::Identity identity =
        authentication_.authenticate_by_csr(snapshot_, alias_, csr, {{}, std::nullopt, address});
    return enrollment_.enroll(snapshot_, alias_, identity, ca::Operation::simpleenroll, csr)
        .certificate.parsed();
  }
  std::string refusal(const std::string& code, const std::string& subject = "CN=device-1",
                      const std::vector<std::string>& sans = {}) {
    return error_id([&] { static_cast<void>(enroll_with(new_key(), code, subject, sans)); });
  }
  std::int64_t uses_left() {
    return sql_integer(path(), "SELECT sum(uses_left) FROM enrollment_code");
  }
  ca::CertificateProfile& profile() { return snapshot_.certificate_profiles.at("device"); }
};

/// Found by a hostile client: a subject that a request may decide was taken from another end entity
/// that was registered and had not come yet, for good.
TEST_F(ClientModeTest, ARegisteredSubjectIsNobodyElses) {
  add("device-2", "CN=device-2,OU=device-1");
  profile().override_subject = true;
  alias_.username_field = "OU";
  EXPECT_EQ(refusal("first code", "CN=Device-2,OU=DEVICE-1"), "unique.subject");
  EXPECT_EQ(refusal("first code", "CN=device-3,OU=device-1"), "");
  set_code("device-1", "second code", 1);
  snapshot_.cas.at("issuing").unique_subject = false;
  EXPECT_EQ(refusal("second code", "CN=device-2,OU=device-1"), "");
}

TEST_F(ClientModeTest, ContentsComeFromTheRegistrationAndTheRequestSilentlyLoses) {
  const auto certificate =
      enroll_with(new_key(), "first code", "CN=device-1,O=Evil", {"dns:evil.example"});
  EXPECT_EQ(certificate.subject().text(), "CN=device-1,O=Acme");
  EXPECT_EQ(certificate.subject_alt_names().names().size(), 1U);
  EXPECT_EQ(certificate.subject_alt_names().names().front().text, "one.acme.example");
  EXPECT_EQ(username_of(certificate), "device-1");
}

TEST_F(ClientModeTest, TheSubjectCountsWhereItsSwitchIsOn) {
  profile().override_subject = true;
  const auto certificate =
      enroll_with(new_key(), "first code", "CN=device-1,O=Beta", {"dns:evil.example"});
  EXPECT_EQ(certificate.subject().text(), "CN=device-1,O=Beta");
  EXPECT_EQ(certificate.subject_alt_names().names().front().text, "one.acme.example");
  EXPECT_EQ(store_->end_entities().find("device-1")->subject.text(), "CN=device-1,O=Acme")
      << "the registration stays";
}

TEST_F(ClientModeTest, TheSanCountsWhereItsSwitchIsOn) {
  profile().override_san = true;
  const auto certificate =
      enroll_with(new_key(), "first code", "CN=device-1,O=Beta", {"dns:two.acme.example"});
  EXPECT_EQ(certificate.subject().text(), "CN=device-1,O=Acme");
  EXPECT_EQ(certificate.subject_alt_names().names().front().text, "two.acme.example");
}

TEST_F(ClientModeTest, AnOverrideStaysInsideTheEndEntityProfile) {
  profile().override_subject = true;
  profile().override_san = true;
  EXPECT_EQ(refusal("first code", "CN=device-1,C=DE"), "enroll.subject_attribute");
  EXPECT_EQ(refusal("first code", "CN=device-1", {"uri:urn:a:b"}), "enroll.san_kind");
  EXPECT_EQ(uses_left(), 1) << "a refused request uses nothing up";
}

TEST_F(ClientModeTest, StrictRefusesWhatDiffersFromTheRegistration) {
  profile().strict_override = true;
  EXPECT_EQ(refusal("first code", "CN=device-1,O=Evil"), "override.subject");
  EXPECT_EQ(refusal("first code", "CN=device-1,O=Acme", {"dns:evil.example"}), "override.san");
  EXPECT_EQ(uses_left(), 1);
  EXPECT_EQ(refusal("first code", "CN=DEVICE-1,O=acme", {"dns:ONE.acme.example"}), "");
}

TEST_F(ClientModeTest, ACodeWorksAsOftenAsItSays) {
  set_code("device-1", "twice", 2);
  EXPECT_EQ(refusal("first code"), "auth.wrong_password") << "replaced";
  EXPECT_EQ(refusal("twice"), "");
  EXPECT_EQ(refusal("twice"), "");
  EXPECT_EQ(refusal("twice"), "code.spent");
  EXPECT_EQ(uses_left(), 0);
}

TEST_F(ClientModeTest, AnExpiredOrRemovedCodeIsAWrongOne) {
  set_code("device-1", "expired", 1, system_clock_.now() - std::chrono::seconds(1));
  EXPECT_EQ(refusal("expired"), "auth.wrong_password");
  set_code("device-1", "good", 1, system_clock_.now() + std::chrono::hours(1));
  EXPECT_EQ(refusal("good"), "");
  set_code("device-1", "removed", 1);
  store_->end_entities().remove_codes("device-1", event("code.removed"));
  EXPECT_EQ(refusal("removed"), "auth.wrong_password");
}

TEST_F(ClientModeTest, ASpentCodeAnswersTheRequestThatSpentItAndNoOther) {  // EST-4.2.3-f
  const auto key = new_key();
  const auto first = enroll_with(key, "first code");
  EXPECT_EQ(enroll_with(key, "first code"), first);
  EXPECT_EQ(refusal("first code"), "code.spent");
  alias_.retry_window = std::chrono::seconds(0);
  EXPECT_EQ(error_id([&] { static_cast<void>(enroll_with(key, "first code")); }), "code.spent");
  EXPECT_EQ(rows(), 1);
}

TEST_F(ClientModeTest, SixtyFourRequestsWithOneCodeAndAKeyEachGiveOneCertificate) {
  std::atomic<int> issued = 0;
  std::atomic<int> spent = 0;
  in_threads(64, [&](std::size_t) {
    const std::string id = refusal("first code");
    issued += id.empty() ? 1 : 0;
    spent += id == "code.spent" ? 1 : 0;
  });
  EXPECT_EQ(issued, 1);
  EXPECT_EQ(spent, 63);
  EXPECT_EQ(rows(), 1);
}

TEST_F(ClientModeTest, TheSameRequestSixtyFourTimesGivesOneCertificateToAll) {
  const auto key = new_key();
  std::atomic<int> issued = 0;
  in_threads(64, [&](std::size_t) {
    issued += error_id([&] { static_cast<void>(enroll_with(key, "first code")); }).empty() ? 1 : 0;
  });
  EXPECT_EQ(issued, 64);
  EXPECT_EQ(rows(), 1);
}

TEST_F(ClientModeTest, ATokenErrorGivesTheCodeBack) {
  const auto failing =
      crypto::PrivateKey(crypto::EvpPkeyPtr(::EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")),
                         authority_.key.public_key());
  OneKey keys(failing);
  ca::Enrollment enrollment(issuer_, store_->end_entities(), keys, server_keys_, system_clock_);
  const auto csr =
      crypto::Csr::parse(estia::test::make_csr_der(new_key(), "CN=device-1", {}, "first code"));
  const std::string address = "192.0.2.7";
  const auto identity =
      authentication_.authenticate_by_csr(snapshot_, alias_, csr, {{}, std::nullopt, address});
  EXPECT_THROW(static_cast<void>(enrollment.enroll(snapshot_, alias_, identity,
                                                   ca::Operation::simpleenroll, csr)),
               Error);
  EXPECT_EQ(uses_left(), 1);
  EXPECT_TRUE(store_->end_entities().find("device-1")) << "a registration is not undone";
  EXPECT_EQ(refusal("first code"), "");
}

TEST_F(ClientModeTest, ACodeGetsNoOtherNamesByChangeSubjectName_CSN_7_1_d) {
  alias_.code_source = ca::CodeSource::dn_part;
  alias_.code_field = "OU";
  alias_.allow_change_subject_name = true;
  alias_.allow_change_subject_name_at_renewal = true;
  const auto key = new_key();
  const auto csr = crypto::Csr::parse(estia::test::csr_for_new_names(
      key, "CN=device-1,OU=first code", {}, estia::test::new_names("CN=device-9")));
  const std::string address = "192.0.2.7";
  const auto identity =
      authentication_.authenticate_by_csr(snapshot_, alias_, csr, {{}, std::nullopt, address});
  EXPECT_EQ(error_id([&] {
              static_cast<void>(enrollment_.enroll(snapshot_, alias_, identity,
                                                   ca::Operation::simpleenroll, csr));
            }),
            "change_subject.not_allowed");
  EXPECT_EQ(refusal("first code", "CN=device-1,OU=first code"), "") << "it is not used up";
}

TEST_F(ClientModeTest, ADnPartHoldsTheCodeAndReachesNothing) {
  alias_.code_source = ca::CodeSource::dn_part;
  alias_.code_field = "OU";
  profile().override_subject = true;
  const auto csr =
      crypto::Csr::parse(estia::test::make_csr_der(new_key(), "CN=device-1,O=Beta,OU=first code"));
  const std::string address = "192.0.2.7";
  const auto identity =
      authentication_.authenticate_by_csr(snapshot_, alias_, csr, {{}, std::nullopt, address});
  const auto certificate =
      enrollment_.enroll(snapshot_, alias_, identity, ca::Operation::simpleenroll, csr)
          .certificate.parsed();
  EXPECT_EQ(certificate.subject().text(), "CN=device-1,O=Beta");
  EXPECT_EQ(sql_integer(path(),
                        "SELECT count(*) FROM certificate WHERE "
                        "instr(tbs, CAST('first code' AS BLOB)) > 0"),
            0);
}

TEST_F(ClientModeTest, AnEndEntityOfAnotherCaOrProfileIsNotReachedHere) {
  auto sister = authority_.ca;
  sister.name = "sister";
  snapshot_.cas.emplace("sister", sister);
  alias_.ca = "sister";
  EXPECT_EQ(refusal("first code"), "entity.other_ca");
  alias_.further_cas = {"issuing"};
  alias_.certificate_profile = "other";
  EXPECT_EQ(refusal("first code"), "entity.other_profile");
  alias_.certificate_profile = "device";
  EXPECT_EQ(refusal("first code"), "") << "the end entity's CA issues";
}

// Found by a hostile client: the profile was none of a CA's when the end entity was registered.
TEST_F(ClientModeTest, AProfileThatCameToMakeCasServesNobody) {
  snapshot_.certificate_profiles.at("device").ca = true;
  EXPECT_EQ(refusal("first code"), "entity.profile_of_ca");
}

TEST_F(ClientModeTest, AProfileThatIsGoneIsSaidSo) {
  snapshot_.end_entity_profiles.clear();
  EXPECT_EQ(refusal("first code"), "entity.profile_gone");
  snapshot_.certificate_profiles.clear();
  EXPECT_EQ(refusal("first code"), "entity.profile_gone");
}

TEST_F(ClientModeTest, ADeviceRenewsWithItsCertificateAndNeedsItsRegistration) {
  const auto first = enroll_with(new_key(), "first code");
  alias_.authenticators = {ca::Authenticator::client_certificate, ca::Authenticator::code};
  const auto renew = [&] {
    return error_id([&] {
      static_cast<void>(enroll(self(first), ca::Operation::simplereenroll, new_key(),
                               "CN=device-1,O=Acme", {"dns:one.acme.example"}));
    });
  };
  EXPECT_EQ(renew(), "");
  store_->end_entities().set_disabled("device-1", true, event("entity.disabled"));
  EXPECT_EQ(renew(), "entity.disabled");
}

}  // namespace
}  // namespace estia::store::test
