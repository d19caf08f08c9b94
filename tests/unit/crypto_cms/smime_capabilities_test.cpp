// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/smime_capabilities.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "crypto/base/der.h"
#include "tests/support/refusal.h"

namespace estia::crypto {
namespace {

constexpr const char* kMalformed = "malformed smime_capabilities.malformed";

Bytes list(const std::vector<Bytes>& capabilities) {
  return der::tlv(0x30, std::accumulate(capabilities.begin(), capabilities.end(), Bytes(),
                                        [](Bytes all, const Bytes& one) {
                                          all.insert(all.end(), one.begin(), one.end());
                                          return all;
                                        }));
}

SmimeCapabilities parsed(const std::vector<Bytes>& capabilities) {
  return parse_smime_capabilities(list(capabilities));
}

std::string refusal_of(const Bytes& der) {
  return test::refusal([&] { static_cast<void>(parse_smime_capabilities(der)); });
}

std::size_t count(const SmimeCapabilities& known) {
  return known.key_wraps.size() + known.key_transports.size() + known.key_agreements.size() +
         known.content_ciphers.size();
}

const Bytes kSha1 = der::sequence({der::oid("1.3.14.3.2.26"), der::null()});
const Bytes kSha256 = der::sequence({der::oid("2.16.840.1.101.3.4.2.1"), der::null()});
const Bytes kSha512 = der::sequence({der::oid("2.16.840.1.101.3.4.2.3")});
const Bytes kOaep = der::oid("1.2.840.113549.1.1.7");

TEST(SmimeCapabilities, TellsThatThereAreOtherContentCiphers) {
  const Bytes triple_des = der::sequence({der::oid("1.2.840.113549.3.7")});
  const Bytes gcm = der::sequence({der::oid("2.16.840.1.101.3.4.1.46")});
  const Bytes cbc = der::sequence({der::oid("2.16.840.1.101.3.4.1.42")});
  EXPECT_TRUE(parsed({triple_des}).other_content_ciphers);
  EXPECT_TRUE(parsed({gcm, cbc}).other_content_ciphers);
  EXPECT_EQ(parsed({gcm, cbc}).content_ciphers.size(), 1U);
  EXPECT_FALSE(parsed({cbc}).other_content_ciphers);
  EXPECT_FALSE(parsed({kSha256}).other_content_ciphers) << "no cipher at all";
}

TEST(SmimeCapabilities, KeyWrapsInTheOrderOfTheClient_EST_4_4_1_e) {
  const SmimeCapabilities known = parsed({
      from_hex("300b060960864801650304012d"),      // id-aes256-wrap
      from_hex("300d06096086480165030401050500"),  // id-aes128-wrap, NULL
      from_hex("300b0609608648016503040119"),      // id-aes192-wrap
      from_hex("300b0609608648016503040130"),      // id-aes256-wrap-pad
      from_hex("300b0609608648016503040108"),      // id-aes128-wrap-pad
      from_hex("300b060960864801650304011c"),      // id-aes192-wrap-pad
  });
  std::vector<std::string> ciphers;
  for (const KeyWrap& wrap : known.key_wraps) {
    ciphers.emplace_back(wrap.cipher);
  }
  EXPECT_EQ(ciphers,
            (std::vector<std::string>{"AES-256-WRAP", "AES-128-WRAP", "AES-192-WRAP",
                                      "AES-256-WRAP-PAD", "AES-128-WRAP-PAD", "AES-192-WRAP-PAD"}));
  EXPECT_EQ(count(known), 6U);
}

TEST(SmimeCapabilities, KeyAgreementsAsRfc5753SpellsThem_EST_4_4_1_e) {
  const SmimeCapabilities known = parsed({
      // RFC 5753 6: SHA-256 with AES-128; SHA-384 with AES-256 and its stray NULL
      from_hex("301506062b8104010b01300b0609608648016503040105"),
      from_hex("301706062b8104010b02300d060960864801650304012d0500"),
      from_hex("301506062b8104010b03300b060960864801650304012d"),
  });
  ASSERT_EQ(known.key_agreements.size(), 3U);
  EXPECT_EQ(known.key_agreements[0].scheme.digest, "SHA2-256");
  EXPECT_EQ(known.key_agreements[0].wrap.cipher, "AES-128-WRAP");
  EXPECT_EQ(known.key_agreements[1].scheme.digest, "SHA2-384");
  EXPECT_EQ(known.key_agreements[1].wrap.cipher, "AES-256-WRAP");
  EXPECT_EQ(known.key_agreements[2].scheme.digest, "SHA2-512");
  EXPECT_EQ(count(known), 3U);
}

TEST(SmimeCapabilities, KeyTransportsByTheirParameters_EST_4_4_1_e) {
  const SmimeCapabilities known = parsed({
      from_hex("300d06092a864886f70d0101010500"),  // rsaEncryption, NULL
      der::sequence({kOaep, oaep_parameters(kSha512)}),
      der::sequence({kOaep, oaep_parameters(kSha256)}),
      der::sequence({kOaep}),
      from_hex("300b06092a864886f70d010101"),
  });
  std::vector<std::string> digests;
  for (const KeyTransport& transport : known.key_transports) {
    digests.emplace_back(transport.digest);
  }
  EXPECT_EQ(digests, (std::vector<std::string>{"", "SHA2-512", "SHA2-256", "SHA2-256", ""}));
}

/// For keys that a token encrypts; nothing else uses SHA-1.
TEST(SmimeCapabilities, OaepWithSha1IsNotedApart_EST_6_h) {
  EXPECT_TRUE(parsed({der::sequence({kOaep, der::sequence({})})}).oaep_sha1);
  EXPECT_FALSE(parsed({der::sequence({kOaep})}).oaep_sha1);
  EXPECT_FALSE(parsed({der::sequence({kOaep, oaep_parameters(kSha256)})}).oaep_sha1);
}

TEST(SmimeCapabilities, ContentCiphers) {
  const SmimeCapabilities known = parsed({
      from_hex("300b060960864801650304012a"),  // aes256-CBC
      from_hex("300b0609608648016503040102"),  // aes128-CBC
      from_hex("300b0609608648016503040116"),  // aes192-CBC
  });
  ASSERT_EQ(known.content_ciphers.size(), 3U);
  EXPECT_EQ(known.content_ciphers[0].bits, 256U);
  EXPECT_EQ(known.content_ciphers[1].bits, 128U);
  EXPECT_EQ(known.content_ciphers[2].bits, 192U);
}

TEST(SmimeCapabilities, WhatIsNotKnownIsIgnored) {
  const Bytes wrap_with_text =
      der::sequence({der::oid("2.16.840.1.101.3.4.1.5"), der::octet_string({})});
  const Bytes mixed = der::sequence(  // SHA-256 for the label, SHA-1 for the mask
      {der::tlv(0xA0, kSha256),
       der::tlv(0xA1, der::sequence({der::oid("1.2.840.113549.1.1.8"), kSha1}))});
  const std::string scheme = "1.3.132.1.11.1";
  for (const Bytes& capability : {
           from_hex("300e06082a864886f70d030202020080"),  // RC2 with a number
           from_hex("300a06082a864886f70d0307"),          // 3DES
           from_hex("300b0609608648016503040106"),        // aes128-GCM
           wrap_with_text,
           der::sequence({kOaep, der::sequence({})}),  // OAEP's defaults: SHA-1
           der::sequence({kOaep, oaep_parameters(kSha1)}),
           der::sequence({kOaep, mixed}),
           der::sequence({kOaep, der::null()}),
           der::sequence({der::oid(scheme)}),  // no key wrap
           der::sequence({der::oid(scheme), der::null()}),
           der::sequence({der::oid(scheme), der::sequence({der::oid("1.2.840.113549.3.7")})}),
           der::sequence({der::oid(scheme), wrap_with_text}),
           der::sequence({der::oid("1.3.133.16.840.63.0.2"),  // stdDH with SHA-1
                          from_hex("300b0609608648016503040105")}),
       }) {
    EXPECT_EQ(count(parsed({capability})), 0U) << to_hex(capability);
    EXPECT_EQ(count(parsed({capability, from_hex("300b0609608648016503040105")})), 1U);
  }
}

TEST(SmimeCapabilities, WhatIsNoListOfCapabilitiesIsRefused_EST_4_4_1_d) {
  const Bytes wrap = from_hex("300b0609608648016503040105");
  const Bytes good = list({wrap});
  ASSERT_EQ(refusal_of(good), "none");
  Bytes trailing = good;
  trailing.push_back(0);
  Bytes empty_agreement = der::sequence({der::oid("1.3.132.1.11.1"), der::sequence({})});
  for (const Bytes& broken : {
           Bytes{},
           trailing,
           Bytes(good.begin(), good.end() - 1),
           list({}),
           der::tlv(0x31, wrap),
           list({der::sequence({})}),
           list({der::oid("2.16.840.1.101.3.4.1.5")}),
           list({der::sequence({der::null()})}),
           list({der::sequence({der::oid("1.2.3"), der::null(), der::null()})}),
           list({empty_agreement}),
           from_hex("3080300b06096086480165030401050000"),
           from_hex("30810d300b0609608648016503040105"),
       }) {
    EXPECT_EQ(refusal_of(broken), kMalformed) << to_hex(broken);
  }
}

TEST(SmimeCapabilities, CountAndSizeAreLimited_EST_6_d) {
  const Bytes wrap = from_hex("300b0609608648016503040105");
  EXPECT_EQ(parsed(std::vector<Bytes>(64, wrap)).key_wraps.size(), 64U);
  EXPECT_EQ(refusal_of(list(std::vector<Bytes>(65, wrap))), kMalformed);
  const auto padded = [](std::size_t size) {
    return list({der::sequence({der::oid("1.2.3"), der::octet_string(Bytes(size))})});
  };
  EXPECT_EQ(refusal_of(padded(4000)), "none");
  EXPECT_EQ(refusal_of(padded(4096)), kMalformed);
  Bytes long_oid = der::tlv(0x06, Bytes(65, 0x01));
  EXPECT_EQ(refusal_of(list({der::sequence({long_oid})})), kMalformed);
}

}  // namespace
}  // namespace estia::crypto
