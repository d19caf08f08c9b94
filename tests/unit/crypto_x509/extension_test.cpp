// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/extension.h"

#include <gtest/gtest.h>

#include "crypto/base/der.h"
#include "crypto/x509/extension_list.h"
#include "tests/support/refusal.h"

namespace estia::crypto {
namespace {

using test::refusal;

constexpr const char* kMalformed = "malformed extension.malformed";

std::string usage(const KeyUsageNames& bits) {
  return to_hex(key_usage(bits).value);
}

TEST(Extension, KeyUsageDropsTrailingZeroBits_X509_4_2_1_3_b) {
  EXPECT_EQ(usage({"digitalSignature"}), "03020780");
  EXPECT_EQ(usage({"digitalSignature", "keyEncipherment"}), "030205a0");
  EXPECT_EQ(usage({"cRLSign", "keyCertSign"}), "03020106");
  EXPECT_EQ(usage({"encipherOnly"}), "03020001");
  EXPECT_EQ(usage({"decipherOnly"}), "0303070080");
  EXPECT_EQ(usage({"digitalSignature", "digitalSignature"}), "03020780");
  EXPECT_TRUE(key_usage({"digitalSignature"}).critical);
}

TEST(Extension, RefusesUsagesThatAreNoneOrNoUsage) {
  for (const KeyUsageNames& bits :
       {KeyUsageNames{}, KeyUsageNames{""}, KeyUsageNames{"DigitalSignature"},
        KeyUsageNames{"digitalSignature", "sign"}, KeyUsageNames{"contentCommitment"}}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(key_usage(bits)); }), "config extension.unknown");
  }
}

TEST(Extension, BasicConstraintsOfACa) {
  EXPECT_EQ(to_hex(basic_constraints_ca(-1).value), "30030101ff");
  EXPECT_EQ(to_hex(basic_constraints_ca(0).value), "30060101ff020100");
  EXPECT_EQ(to_hex(basic_constraints_ca(200).value), "30070101ff020200c8");
  EXPECT_TRUE(basic_constraints_ca(0).critical);
}

TEST(Extension, KeyIdentifiersAndPurposes) {
  EXPECT_EQ(to_hex(subject_key_identifier(Bytes{1, 2}).value), "04020102");
  EXPECT_EQ(to_hex(authority_key_identifier(Bytes{1, 2}).value), "300480020102");
  EXPECT_EQ(to_hex(extended_key_usage({std::string(oid::kClientAuth)}).value),
            "300a06082b06010505070302");
  EXPECT_FALSE(subject_key_identifier(Bytes{1}).critical);
  EXPECT_FALSE(authority_key_identifier(Bytes{1}).critical);
}

TEST(Extension, RefusesEmptyLists) {
  EXPECT_EQ(refusal([] { static_cast<void>(extended_key_usage({})); }), "config extension.unknown");
  EXPECT_EQ(refusal([] { static_cast<void>(crl_distribution_points({})); }),
            "config extension.unknown");
  EXPECT_EQ(refusal([] { static_cast<void>(authority_info_access({}, {})); }),
            "config extension.unknown");
  EXPECT_EQ(refusal([] { static_cast<void>(subject_alt_name(GeneralNames(), true)); }),
            "config extension.unknown");
  EXPECT_EQ(refusal([] { static_cast<void>(extended_key_usage({"clientAuth"})); }),
            "config oid.invalid");
}

TEST(Extension, RefusesUrisThatAreNone) {
  EXPECT_EQ(refusal([] { static_cast<void>(crl_distribution_points({"ca.crl"})); }),
            "config san.text");
  EXPECT_EQ(refusal([] { static_cast<void>(authority_info_access({}, {"http://a b"})); }),
            "config san.text");
}

TEST(Extension, TheAlternativeNameIsCriticalBesideAnEmptySubject_X509_4_1_2_6_b) {
  const GeneralNames names = GeneralNames::from_texts({"dns:a"});
  EXPECT_TRUE(subject_alt_name(names, true).critical);
  EXPECT_FALSE(subject_alt_name(names, false).critical);
}

TEST(ExtensionList, ComesBack) {
  const std::vector<Extension> extensions = {
      basic_constraints_ca(1), subject_key_identifier(Bytes{9}), {"1.2.3.4", false, {}}};
  EXPECT_EQ(parse_extensions(encode_extensions(extensions)), extensions);
  EXPECT_TRUE(parse_extensions(from_hex("3000")).empty());
}

TEST(ExtensionList, RefusesDuplicatesAndTooMany_X509_4_2_a) {
  const Extension one{"1.2.3.4", false, {}};
  const Extension critical{"1.2.3.4", true, {1}};
  for (const std::vector<Extension>& extensions :
       {std::vector{one, one}, std::vector{one, critical}}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(parse_extensions(encode_extensions(extensions))); }),
              kMalformed);
  }
  std::vector<Extension> many;
  for (int i = 0; i < 65; ++i) {
    many.push_back({"1.2.3." + std::to_string(i), false, {}});
  }
  EXPECT_EQ(refusal([&] { static_cast<void>(parse_extensions(encode_extensions(many))); }),
            kMalformed);
  many.pop_back();
  EXPECT_EQ(parse_extensions(encode_extensions(many)).size(), 64U);
}

TEST(ExtensionList, RefusesBrokenOnes) {
  for (const char* content : {
           "0500",              // no SEQUENCE
           "3000",              // empty
           "300406022a03",      // no value
           "300606022a030500",  // value no OCTET STRING
           "300a06022a03"
           "0400"
           "04020101",  // two values
           "300906022a03"
           "010101"
           "0400",  // BOOLEAN neither 00 nor FF
           "300806022a03"
           "0100"
           "0400",  // BOOLEAN of no octet
           "300a06022a03"
           "01020000"
           "0400",  // BOOLEAN of two octets
           "300704020101"
           "0400",  // no OBJECT IDENTIFIER
           "30040600"
           "0400",  // empty OBJECT IDENTIFIER
           "300606022a80"
           "0400",  // truncated arc
           "300706032a8001"
           "0400",  // padded arc
       }) {
    const Bytes der = der::tlv(0x30, from_hex(content));
    const std::string refused = refusal([&] { static_cast<void>(parse_extensions(der)); });
    EXPECT_TRUE(refused == kMalformed || refused == "malformed der.malformed")
        << content << ": " << refused;
  }
}

TEST(ExtensionList, AnExplicitFalseIsFalse) {
  const auto parsed = parse_extensions(der::tlv(0x30, from_hex("300906022a03"
                                                               "010100"
                                                               "0400")));
  ASSERT_EQ(parsed.size(), 1U);
  EXPECT_FALSE(parsed[0].critical);
}

TEST(DottedOid, AgreesWithTheWriter) {
  for (const char* text : {"0.0", "0.39", "1.0", "1.39", "2.0", "2.39", "2.40", "2.47", "2.48",
                           "2.999.1", "1.2.840.113549.1.9.14", "2.5.29.17",
                           "1.2.18446744073709551615", "2.18446744073709551535"}) {
    ByteView rest;
    const Bytes der = der::oid(text);
    rest = der;
    EXPECT_EQ(dotted_oid(der::read(rest).value), text);
  }
}

}  // namespace
}  // namespace estia::crypto
