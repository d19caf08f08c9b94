// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/crypto_x509/csr_forge.h"

namespace estia::crypto {
namespace {

constexpr const char* kMalformed = "malformed csr.malformed";

Csr parsed(const std::vector<Bytes>& attributes) {
  return Csr::parse(ForgedCsr().with(attributes).der());
}

std::string refused(const std::vector<Bytes>& attributes) {
  return parse_refusal(ForgedCsr().with(attributes).der());
}

Extension dns(const char* name) {
  return subject_alt_name(GeneralNames::from_texts({std::string("dns:") + name}), false);
}

TEST(CsrAttributes, ReadsEveryKindOfString_EST_3_5_e) {
  EXPECT_EQ(parsed({attribute(kChallengeOid, {text(0x13, "abc")})}).challenge_password(), "abc");
  EXPECT_EQ(parsed({attribute(kChallengeOid, {text(0x0C, "\xC3\xA9")})}).challenge_password(),
            "\xC3\xA9");
  EXPECT_EQ(parsed({attribute(kChallengeOid, {text(0x14, "abc")})}).challenge_password(), "abc");
  EXPECT_EQ(parsed({attribute(kChallengeOid, {text(0x16, "abc")})}).challenge_password(), "abc");
  EXPECT_EQ(parsed({attribute(kChallengeOid, {der::tlv(0x1E, from_hex("00610062"))})})
                .challenge_password(),
            "ab");
  EXPECT_EQ(parsed({attribute(kLinkingOid, {text(0x13, "abc")})}).est_identity_linking(), "abc");
}

TEST(CsrAttributes, WhatAnEncoderLeftAtTheEndGoes_EST_3_5_e) {
  for (const std::string_view value :
       {std::string_view("abc\n"), std::string_view("abc\r\n"), std::string_view("abc\0", 4),
        std::string_view("abc  \t"), std::string_view("abc\n\0", 5)}) {
    EXPECT_EQ(parsed({attribute(kChallengeOid, {text(0x0C, value)})}).challenge_password(), "abc");
  }
  EXPECT_EQ(parsed({attribute(kChallengeOid, {text(0x0C, " a b")})}).challenge_password(), " a b");
}

TEST(CsrAttributes, APresentButEmptyChallengeIsPresent_EST_3_5_d) {
  const Csr csr = parsed({attribute(kChallengeOid, {text(0x0C, "")})});
  ASSERT_TRUE(csr.challenge_password());
  EXPECT_EQ(*csr.challenge_password(), "");
}

TEST(CsrAttributes, ChallengesNeedExactlyOneValue_EST_3_5_e) {
  for (const char* oid : {kChallengeOid, kLinkingOid}) {
    EXPECT_EQ(refused({attribute(oid, {text(0x0C, "a"), text(0x0C, "b")})}), kMalformed);
    EXPECT_EQ(refused({attribute(oid, {})}), kMalformed);
    EXPECT_EQ(refused({attribute(oid, {text(0x0C, "a")}), attribute(oid, {text(0x0C, "a")})}),
              kMalformed);
  }
}

TEST(CsrAttributes, ChallengesHaveAtMost255Bytes_EST_3_5_c) {
  for (const char* oid : {kChallengeOid, kLinkingOid}) {
    EXPECT_EQ(refused({attribute(oid, {text(0x0C, std::string(255, 'x'))})}), "none");
    EXPECT_EQ(refused({attribute(oid, {text(0x0C, std::string(256, 'x'))})}), kMalformed);
  }
}

TEST(CsrAttributes, ChallengesAreCharacterStrings) {
  for (const Bytes& value :
       {der::octet_string(as_bytes("abc")), der::small_integer(7), der::null(), der::sequence({}),
        der::tlv(0x1E, from_hex("006100")), text(0x0C, "\xFF\xFE"), text(0x0C, "\xC0\x80"),
        der::tlv(0x2C, text(0x0C, "abc")), der::tlv(0x8C, as_bytes("abc")), der::oid("1.2.3")}) {
    EXPECT_EQ(refused({attribute(kChallengeOid, {value})}), kMalformed) << to_hex(value);
  }
}

TEST(CsrAttributes, RefusesDuplicates_EST_4_2_d) {
  const Bytes one = attribute("1.2.3.4", {der::null()});
  EXPECT_EQ(refused({one}), "none");
  EXPECT_EQ(refused({one, one}), kMalformed);
  EXPECT_EQ(refused({extension_request({dns("a.example")}), extension_request({dns("b.example")})}),
            kMalformed);
}

TEST(CsrAttributes, ExtensionRequestHasExactlyOneValue_EST_4_2_d) {
  const Bytes extensions = encode_extensions({dns("a.example")});
  EXPECT_EQ(refused({attribute(kExtensionRequestOid, {extensions})}), "none");
  EXPECT_EQ(refused({attribute(kExtensionRequestOid, {extensions, extensions})}), kMalformed);
  EXPECT_EQ(refused({attribute(kExtensionRequestOid, {})}), kMalformed);
  EXPECT_EQ(refused({attribute(kExtensionRequestOid, {der::null()})}), kMalformed);
}

TEST(CsrAttributes, RefusesTwoSubjectAltNames_EST_4_2_d) {
  EXPECT_EQ(refused({extension_request({dns("a.example"), dns("b.example")})}), kMalformed);
}

TEST(CsrAttributes, RefusesASubjectAltNameThatIsNone) {
  const auto san = [](const Bytes& value) {
    return refused({extension_request({{std::string(oid::kSubjectAltName), false, value}})});
  };
  EXPECT_EQ(san({}), kMalformed);
  EXPECT_EQ(san(from_hex("3000")), kMalformed);
  EXPECT_EQ(san(from_hex("0500")), kMalformed);
  EXPECT_EQ(san(der::sequence({text(0x82, std::string_view("a\0b.example", 11))})), kMalformed);
  EXPECT_EQ(san(der::sequence({text(0x82, " ")})), kMalformed);
}

TEST(CsrAttributes, BoundsTheirNumber) {
  std::vector<Bytes> many;
  for (int i = 0; i < 33; ++i) {
    many.push_back(attribute(("1.2.3." + std::to_string(i)).c_str(), {der::null()}));
  }
  EXPECT_EQ(refused(many), kMalformed);
  many.pop_back();
  EXPECT_EQ(refused(many), "none");
  EXPECT_EQ(parsed(many).attributes().size(), 32U);
}

TEST(CsrAttributes, RefusesBrokenOnes) {
  for (const char* hex : {"0500", "3000", "300406022a03", "300606022a033000",
                          "300806022a0331000500", "30050603ffffff", "300606022a80310030"}) {
    ForgedCsr forged;
    forged.attributes = der::tlv(0xA0, from_hex(hex));
    EXPECT_EQ(parse_refusal(forged.der()), kMalformed) << hex;
  }
}

TEST(CsrAttributes, UnknownOnesAreKeptWithEachValue) {
  const Csr csr = parsed({attribute("1.2.3.4", {der::null(), der::small_integer(1)})});
  ASSERT_EQ(csr.attributes().size(), 1U);
  EXPECT_EQ(csr.attributes()[0].oid, "1.2.3.4");
  EXPECT_EQ(csr.attributes()[0].values, (std::vector<Bytes>{der::null(), der::small_integer(1)}));
}

}  // namespace
}  // namespace estia::crypto
