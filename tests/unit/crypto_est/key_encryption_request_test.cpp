// SPDX-License-Identifier: Apache-2.0
#include "crypto/est/key_encryption_request.h"

#include <gtest/gtest.h>

#include "tests/unit/crypto_x509/csr_forge.h"

namespace estia::crypto {
namespace {

constexpr const char* kDecryptKeyId = "1.2.840.113549.1.9.16.2.37";
constexpr const char* kAsymmetricDecryptKeyId = "1.2.840.113549.1.9.16.2.54";
constexpr const char* kCapabilities = "1.2.840.113549.1.9.15";
constexpr const char* kMalformed = "malformed serverkeygen.attribute_malformed";

const Bytes kIdentifier = der::octet_string(as_bytes("key 7"));
const Bytes kAes128Wrap = from_hex("300d300b0609608648016503040105");

std::optional<KeyEncryptionRequest> request_of(const std::vector<Bytes>& attributes) {
  return key_encryption_request(Csr::parse(ForgedCsr().with(attributes).der()));
}

std::string refusal_of(const std::vector<Bytes>& attributes) {
  const Csr csr = Csr::parse(ForgedCsr().with(attributes).der());
  return test::refusal([&] { static_cast<void>(key_encryption_request(csr)); });
}

TEST(KeyEncryptionRequest, NamesASecretKey_EST_4_4_1_1_a) {
  const auto request = request_of(
      {attribute(kDecryptKeyId, {kIdentifier}), attribute(kCapabilities, {kAes128Wrap})});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key, KeyEncryptionRequest::Key::secret);
  EXPECT_EQ(as_text(request->identifier), "key 7");
  ASSERT_EQ(request->capabilities.key_wraps.size(), 1U);
  EXPECT_EQ(request->capabilities.key_wraps[0].bits, 128U);
}

TEST(KeyEncryptionRequest, NamesAnAsymmetricKey_EST_4_4_1_2_a) {
  const auto request = request_of(
      {attribute(kCapabilities, {kAes128Wrap}), attribute(kAsymmetricDecryptKeyId, {kIdentifier})});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key, KeyEncryptionRequest::Key::asymmetric);
  EXPECT_EQ(as_text(request->identifier), "key 7");
}

TEST(KeyEncryptionRequest, CapabilitiesAloneAskForNothing) {
  EXPECT_FALSE(request_of({}));
  EXPECT_FALSE(request_of({attribute(kCapabilities, {kAes128Wrap})}));
}

TEST(KeyEncryptionRequest, AnIdentifierNeedsCapabilities_EST_4_4_1_c) {
  for (const char* oid : {kDecryptKeyId, kAsymmetricDecryptKeyId}) {
    EXPECT_EQ(refusal_of({attribute(oid, {kIdentifier})}),
              "malformed serverkeygen.capabilities_missing");
  }
}

TEST(KeyEncryptionRequest, BothIdentifiersAreRefused_EST_4_4_1_d) {
  EXPECT_EQ(refusal_of({attribute(kDecryptKeyId, {kIdentifier}),
                        attribute(kAsymmetricDecryptKeyId, {kIdentifier}),
                        attribute(kCapabilities, {kAes128Wrap})}),
            "malformed serverkeygen.two_identifiers");
}

TEST(KeyEncryptionRequest, OneAttributeWithOneValue_EST_4_4_1_d) {
  for (const char* oid : {kDecryptKeyId, kAsymmetricDecryptKeyId}) {
    const Bytes good = attribute(oid, {kIdentifier});
    const Bytes capabilities = attribute(kCapabilities, {kAes128Wrap});
    EXPECT_EQ(refusal_of({attribute(oid, {}), capabilities}), kMalformed);
    EXPECT_EQ(refusal_of({attribute(oid, {kIdentifier, kIdentifier}), capabilities}), kMalformed);
    EXPECT_EQ(refusal_of({good, attribute(kCapabilities, {})}), kMalformed);
    EXPECT_EQ(refusal_of({good, attribute(kCapabilities, {kAes128Wrap, kAes128Wrap})}), kMalformed);
    EXPECT_EQ(parse_refusal(ForgedCsr().with({good, good, capabilities}).der()),
              "malformed csr.malformed");
    EXPECT_EQ(parse_refusal(ForgedCsr().with({good, capabilities, capabilities}).der()),
              "malformed csr.malformed");
  }
}

TEST(KeyEncryptionRequest, BrokenIsNotAbsent_EST_4_4_1_d) {
  const Bytes capabilities = attribute(kCapabilities, {kAes128Wrap});
  for (const Bytes& identifier :
       {der::octet_string({}), der::octet_string(Bytes(256)), der::null(),
        der::sequence({kIdentifier}), der::tlv(0x80, as_bytes("key 7"))}) {
    for (const char* oid : {kDecryptKeyId, kAsymmetricDecryptKeyId}) {
      EXPECT_EQ(refusal_of({attribute(oid, {identifier}), capabilities}), kMalformed)
          << to_hex(identifier);
    }
  }
  EXPECT_EQ(refusal_of({attribute(kDecryptKeyId, {kIdentifier}),
                        attribute(kCapabilities, {der::sequence({})})}),
            kMalformed);
}

TEST(KeyEncryptionRequest, AnIdentifierIsOneWholeOctetString) {
  EXPECT_EQ(parse_decrypt_key_identifier(der::octet_string(Bytes(255))).size(), 255U);
  EXPECT_EQ(parse_decrypt_key_identifier(from_hex("040100")), Bytes(1));
  for (const char* hex : {"", "04", "0402aa", "0401aa00", "048101aa", "24030401aa", "0480aa0000"}) {
    EXPECT_EQ(
        test::refusal([&] { static_cast<void>(parse_decrypt_key_identifier(from_hex(hex))); }),
        kMalformed)
        << hex;
  }
}

}  // namespace
}  // namespace estia::crypto
