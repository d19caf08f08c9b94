// SPDX-License-Identifier: Apache-2.0
#include "crypto/est/change_subject_name.h"

#include <gtest/gtest.h>

#include "tests/unit/crypto_x509/csr_forge.h"

namespace estia::crypto {
namespace {

constexpr const char* kOid = "1.3.6.1.5.5.7.7.36";
constexpr const char* kMalformed = "malformed change_subject.malformed";

// The whole attribute with CN=new.example and the dNSName new.example: subjectAlt tagged [1] as in
// RFC 10002, and plain as in RFC 6402.
constexpr const char* kTagged =
    "303506082b060105050707243129302730163114301206035504030c0b6e65772e6578616d706c65a10d820b6e6577"
    "2e6578616d706c65";
constexpr const char* kPlain =
    "303506082b060105050707243129302730163114301206035504030c0b6e65772e6578616d706c65300d820b6e6577"
    "2e6578616d706c65";

Csr request_with(const std::vector<Bytes>& attributes) {
  return Csr::parse(ForgedCsr().with(attributes).der());
}

std::string refusal_of(const Bytes& value) {
  return test::refusal([&] { static_cast<void>(parse_change_subject_name(value)); });
}

const Bytes& subject() {
  static const Bytes der = Name::from_text("CN=new.example").der();
  return der;
}

Bytes dns(std::string_view name) {
  return der::tlv(0x82, as_bytes(name));
}

TEST(ChangeSubjectName, BothFormsMeanTheSame_CSN_7_1_a) {
  for (const char* hex : {kTagged, kPlain}) {
    const auto change = change_subject_name(request_with({from_hex(hex)}));
    ASSERT_TRUE(change) << hex;
    ASSERT_TRUE(change->subject);
    EXPECT_EQ(change->subject->text(), "CN=new.example");
    ASSERT_TRUE(change->san);
    EXPECT_TRUE(change->san->matches(GeneralNames::from_texts({"dns:new.example"})));
  }
}

TEST(ChangeSubjectName, EitherMayStandAlone) {
  const auto only_subject = parse_change_subject_name(der::sequence({subject()}));
  EXPECT_TRUE(only_subject.subject);
  EXPECT_FALSE(only_subject.san);
  for (const std::uint8_t tag : {std::uint8_t{0xA1}, std::uint8_t{0x30}}) {
    const auto only_san =
        parse_change_subject_name(der::sequence({der::tlv(tag, dns("new.example"))}));
    EXPECT_FALSE(only_san.subject);
    ASSERT_TRUE(only_san.san);
    EXPECT_EQ(only_san.san->names().front().text, "new.example");
  }
  // An empty SEQUENCE is the empty subject, which is there.
  const auto empty_subject =
      parse_change_subject_name(der::sequence({Name().der(), der::tlv(0x30, dns("a.example"))}));
  ASSERT_TRUE(empty_subject.subject);
  EXPECT_TRUE(empty_subject.subject->empty());
  EXPECT_TRUE(empty_subject.san);
}

TEST(ChangeSubjectName, NoneIsToldFromBroken) {
  EXPECT_EQ(refusal_of(der::sequence({})), "malformed change_subject.empty");
  EXPECT_EQ(refusal_of({}), kMalformed);
}

TEST(ChangeSubjectName, EverythingElseIsRefused) {
  const Bytes san = der::tlv(0xA1, dns("a.example"));
  const Bytes plain_san = der::tlv(0x30, dns("a.example"));
  const Bytes whole = der::sequence({subject(), san});
  const auto with = [](Bytes value, std::uint8_t more) {
    value.push_back(more);
    return value;
  };
  const std::vector<Bytes> broken{
      with(whole, 0x00),                                      // trailing byte
      Bytes(whole.begin(), whole.end() - 1),                  // cut
      der::tlv(0x31, subject()),                              // a SET
      der::sequence({san, subject()}),                        // the wrong order
      der::sequence({plain_san, subject()}),                  //
      der::sequence({subject(), subject()}),                  // twice
      der::sequence({san, plain_san}),                        //
      der::sequence({subject(), san, san}),                   //
      der::sequence({der::tlv(0xA0, dns("a.example"))}),      // tags nobody knows
      der::sequence({der::tlv(0xA2, dns("a.example"))}),      //
      der::sequence({der::tlv(0x81, dns("a.example"))}),      // [1], but primitive
      der::sequence({der::null()}),                           //
      der::sequence({der::sequence({der::oid("2.5.4.3")})}),  // neither SET nor context tag
      der::sequence({der::tlv(0xA1, {})}),                    // GeneralNames of nothing
      der::sequence({der::tlv(0xA1, dns("a b"))}),            // no DNS name
      der::sequence({der::tlv(0xA1, plain_san)}),             // EXPLICIT
      der::sequence({der::sequence({der::tlv(0x31, {})})}),   // an RDN of nothing
      Bytes{0x30, 0x80, 0x00, 0x00},                          // indefinite length
      from_hex("3081023000"),                                 // not minimal
  };
  for (const Bytes& value : broken) {
    EXPECT_EQ(refusal_of(value), kMalformed) << to_hex(value);
  }
}

TEST(ChangeSubjectName, TenThousandNamesAreRefused) {
  Bytes names;
  for (int i = 0; i < 10'000; ++i) {
    const Bytes name = dns("a.example");
    names.insert(names.end(), name.begin(), name.end());
  }
  EXPECT_EQ(refusal_of(der::sequence({der::tlv(0xA1, names)})), kMalformed);
  Bytes rdns;
  for (int i = 0; i < 10'000; ++i) {
    const Bytes rdn =
        der::tlv(0x31, der::sequence({der::oid("2.5.4.3"), der::tlv(0x0C, as_bytes("a"))}));
    rdns.insert(rdns.end(), rdn.begin(), rdn.end());
  }
  EXPECT_EQ(refusal_of(der::sequence({der::tlv(0x30, rdns)})), kMalformed);
}

TEST(ChangeSubjectName, OneAttributeWithOneValue) {
  const Bytes value = der::sequence({subject()});
  EXPECT_FALSE(change_subject_name(request_with({})));
  EXPECT_TRUE(change_subject_name(request_with({attribute(kOid, {value})})));
  for (const auto& attributes :
       std::vector<std::vector<Bytes>>{{attribute(kOid, {value}), attribute(kOid, {value})},
                                       {attribute(kOid, {value, value})},
                                       {attribute(kOid, {})}}) {
    EXPECT_EQ(parse_refusal(ForgedCsr().with(attributes).der()), "malformed csr.malformed");
  }
}

TEST(ChangeSubjectName, TheIdentifierOfOneImplementationIsAnother_CSN_7_1_e) {
  const Bytes value = der::sequence({subject()});
  EXPECT_FALSE(change_subject_name(request_with({attribute("1.3.6.1.5.5.7.9.8", {value})})));
}

}  // namespace
}  // namespace estia::crypto
