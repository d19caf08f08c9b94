// SPDX-License-Identifier: Apache-2.0
// ChangeSubjectName at renewal (RFC 6402 2.8): who gets new names, and which.
#include "tests/store/renewal_fixture.h"

namespace estia::store::test {
namespace {

using ca::Operation;
using estia::test::csr_for_new_names;
using estia::test::new_names;

class ChangedNames : public RenewalTest {
 protected:
  ChangedNames() { alias_.allow_change_subject_name_at_renewal = true; }

  static Bytes csr_to(const Bytes& value, const std::string& subject = "CN=device-1",
                      const std::vector<std::string>& sans = {"dns:one.acme.example"}) {
    return csr_for_new_names(new_key(), subject, sans, value);
  }
  std::string names_of(const crypto::Certificate& certificate) {
    std::string text = certificate.subject().text();
    const crypto::GeneralNames san = certificate.subject_alt_names();
    for (const auto& name : san.names()) {
      text += "|" + name.text;
    }
    return text;
  }
  crypto::Certificate device() { return as_ra(new_key(), "CN=device-1", {"dns:one.acme.example"}); }
};

TEST_F(ChangedNames, OffEverywhereUntilSwitchedOn_CSN_7_1_d) {
  alias_.allow_change_subject_name_at_renewal = false;
  const auto own = device();
  const Bytes value = new_names("CN=device-9", {"dns:nine.acme.example"});
  constexpr const char* kId = "change_subject.not_allowed";
  EXPECT_EQ(refusal(own, csr_to(value)), kId);
  alias_.allow_change_subject_name = true;
  alias_.allow_change_subject_name_at_renewal = true;
  EXPECT_EQ(refusal(own, csr_to(value), Operation::simpleenroll), kId) << "not by itself";
  EXPECT_EQ(error_id([&] {
              static_cast<void>(enrollment_.enroll(snapshot_, alias_, ra(), Operation::simpleenroll,
                                                   crypto::Csr::parse(csr_to(value))));
            }),
            kId)
      << "not by a registration authority, which can name whom it wants";
  alias_.allow_change_subject_name_at_renewal = false;
  EXPECT_EQ(refusal(own, csr_to(value)), kId) << "the first switch is not the second";
  EXPECT_EQ(rows(), 1);
}

TEST_F(ChangedNames, NewNamesReplaceTheOldOnesInBothForms_CSN_7_1_b) {
  using Form = estia::test::NewNamesForm;
  snapshot_.end_entity_profiles.at("device").subject.front().required = false;
  for (const Form form : {Form::rfc10002, Form::rfc6402}) {
    const auto own = device();
    EXPECT_EQ(
        names_of(
            renew(own, csr_to(new_names("CN=device-9", {"dns:n.acme.example"}, form))).certificate),
        "CN=device-9|n.acme.example");
    EXPECT_EQ(names_of(renew(own, csr_to(new_names("CN=device-9", {}, form))).certificate),
              "CN=device-9");
    alias_.name_parameters = {"CN", "DN"};
    const auto own_again = device();
    EXPECT_EQ(refusal(own_again, csr_to(new_names(std::nullopt, {"dns:n.acme.example"}, form))),
              "enroll.no_username")
        << "as at a first enrolment here";
    alias_.name_parameters = {"CN"};
  }
}

TEST_F(ChangedNames, AnEmptySubjectComesWithACriticalSan_CSN_7_1_c) {
  snapshot_.end_entity_profiles.at("device").subject.front().required = false;
  alias_.name_scheme = ca::NameScheme::fixed;
  alias_.name_parameters = {"the line"};
  const auto renewed =
      renew(device(), csr_to(new_names(std::nullopt, {"dns:n.acme.example"}))).certificate;
  EXPECT_EQ(names_of(renewed), "|n.acme.example");
  bool critical = false;
  for (const auto& extension : renewed.extensions()) {
    critical = critical || (extension.oid == crypto::oid::kSubjectAltName && extension.critical);
  }
  EXPECT_TRUE(critical);
  EXPECT_EQ(refusal(device(), csr_to(new_names(""))), "enroll.subject_missing") << "nobody";
}

TEST_F(ChangedNames, TheRequestsOwnNamesAreStillTheOldOnes_EST_4_2_2_c) {
  const auto own = device();
  const Bytes value = new_names("CN=device-9");
  EXPECT_EQ(refusal(own, csr_to(value, "CN=device-9")), "reenroll.names_differ");
  EXPECT_EQ(refusal(own, csr_to(value, "CN=device-1", {})), "reenroll.names_differ");
  EXPECT_EQ(refusal(own, csr_to(value)), "");
}

TEST_F(ChangedNames, NewNamesPassWhatFirstOnesPass) {
  const auto own = device();
  EXPECT_EQ(refusal(own, csr_to(new_names("CN=server-1"))), "enroll.outside_scope");
  EXPECT_EQ(refusal(own, csr_to(new_names("CN=device-9", {"dns:evil.example"}))),
            "enroll.outside_scope");
  EXPECT_EQ(refusal(own, csr_to(new_names("CN=device-9,L=Here"))), "enroll.subject_attribute");
  EXPECT_EQ(refusal(own, csr_to(der::sequence({}))), "change_subject.empty");
  EXPECT_EQ(refusal(own, csr_to(der::null())), "change_subject.malformed");
  alias_.allow_change_subject_name_at_renewal = false;
  EXPECT_EQ(refusal(own, csr_to(der::sequence({}))), "change_subject.empty") << "400 before 403";
}

TEST_F(ChangedNames, NobodyTakesTheNameOfAnotherEndEntity) {
  static_cast<void>(as_ra(new_key(), "CN=device-2"));
  const auto own = device();
  EXPECT_EQ(refusal(own, csr_to(new_names("CN=DEVICE-2"))), "change_subject.taken");
  EXPECT_EQ(refusal(own, csr_to(new_names("CN=Device-1"))), "") << "one's own, spelt otherwise";
}

TEST_F(ChangedNames, TheEndEntityFollowsAndThatIsAudited) {
  const auto renewed = renew(device(), csr_to(new_names("CN=device-9"))).certificate;
  EXPECT_EQ(username_of(renewed), "device-1") << "its username stays";
  EXPECT_EQ(store_->end_entities().find("device-1")->subject.text(), "CN=device-9");
  EXPECT_EQ(last_audit("entity.changed"), "old=CN=device-1 dns:one.acme.example new=CN=device-9");
  // It goes on from there, and not back by the attribute's absence.
  EXPECT_EQ(refusal(renewed, csr_for("CN=device-1")), "reenroll.names_differ");
  EXPECT_EQ(names_of(renew(renewed, csr_for("CN=device-9")).certificate), "CN=device-9");
  EXPECT_EQ(store_->end_entities().find("device-1")->subject.text(), "CN=device-9");
}

TEST_F(ChangedNames, ARepetitionIsToldFromAnotherWish_EST_4_2_3_f) {
  alias_.retry_window = std::chrono::minutes(2);
  const auto own = device();
  const auto key = new_key();
  const auto ask = [&](const Bytes& value) {
    return renew(own, csr_for_new_names(key, "CN=device-1", {"dns:one.acme.example"}, value))
        .certificate;
  };
  const auto first = ask(new_names("CN=device-8"));
  EXPECT_EQ(ask(new_names("CN=device-8")), first);
  EXPECT_EQ(names_of(ask(new_names("CN=device-9"))), "CN=device-9");
  EXPECT_EQ(
      names_of(renew(own, estia::test::make_csr_der(key, "CN=device-1", {"dns:one.acme.example"}))
                   .certificate),
      "CN=device-1|one.acme.example");
}

TEST_F(ChangedNames, OnBehalfBothSwitchesCount) {
  const auto ra = listed_ra();
  static_cast<void>(device());
  const Bytes csr = csr_to(new_names("CN=device-9"));
  EXPECT_EQ(refusal(ra, csr), "reenroll.names_differ");
  alias_.allow_renewal_on_behalf = true;
  const auto renewed = renew(ra, csr).certificate;
  EXPECT_EQ(names_of(renewed), "CN=device-9");
  EXPECT_EQ(username_of(renewed), "device-1");
}

TEST_F(ChangedNames, ClientModeNeedsTheOverrideOfWhatChanges) {
  store_->end_entities().add({.username = "one",
                              .ca = "issuing",
                              .end_entity_profile = "device",
                              .certificate_profile = "device",
                              .subject = crypto::Name::from_text("CN=device-1"),
                              .san = crypto::GeneralNames::from_texts({"dns:one.acme.example"}),
                              .created_at = system_clock_.now()},
                             event("entity.added"));
  alias_.name_scheme = ca::NameScheme::fixed;
  alias_.name_parameters = {"one"};
  const auto own = device();
  ASSERT_EQ(username_of(own), "one");
  alias_.mode = ca::AliasMode::client;
  alias_.ra_scope = {};
  auto& profile = snapshot_.certificate_profiles.at("device");
  const Bytes subject_only = csr_to(new_names("CN=device-9", {"dns:one.acme.example"}));
  const Bytes san_only = csr_to(new_names("CN=device-1", {"dns:nine.acme.example"}));
  EXPECT_EQ(refusal(own, subject_only), "override.subject");
  EXPECT_EQ(refusal(own, san_only), "override.san");
  EXPECT_EQ(refusal(own, csr_to(new_names("CN=device-1"))), "override.san") << "taken away";
  profile.override_subject = true;
  EXPECT_EQ(refusal(own, subject_only), "");
  EXPECT_EQ(refusal(own, san_only), "override.san");
  EXPECT_EQ(refusal(own, csr_to(new_names("CN=device-9", {"dns:nine.acme.example"}))),
            "override.san")
      << "each for itself";
  profile.override_san = true;
  EXPECT_EQ(refusal(own, san_only), "");
  EXPECT_EQ(store_->end_entities().find("one")->subject.text(), "CN=device-1")
      << "what an operator registered stays";
  alias_.username_field = "CN";
  store_->end_entities().add({.username = "device-2",
                              .ca = "issuing",
                              .end_entity_profile = "device",
                              .certificate_profile = "device",
                              .created_at = system_clock_.now()},
                             event("entity.added"));
  EXPECT_EQ(refusal(own, csr_to(new_names("CN=device-2"))), "change_subject.taken");
}

}  // namespace
}  // namespace estia::store::test
