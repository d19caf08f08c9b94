// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/token_envelope.h"

#include <gtest/gtest.h>

#include "crypto/base/random.h"
#include "crypto/cms/content_key.h"
#include "crypto/cms/key_algorithms.h"
#include "tests/unit/crypto_cms/key_package_fixture.h"

namespace estia::crypto {
namespace {

constexpr const char* kNoCommon = "malformed serverkeygen.no_common_algorithm";
const KeyTransport kOaep256 = known_key_transports()[0];
const KeyTransport kOaep384 = known_key_transports()[1];
const KeyTransport kRsaEncryption = known_key_transports()[3];
const KeyWrap kWrapPad = known_key_wraps()[5];
const ContentCipher kAes128 = known_content_ciphers()[0];
const ContentCipher kAes256 = known_content_ciphers()[2];

/// As NSS's, and as SoftHSM's.
const TokenEncryption kAll{{"SHA2-256", "SHA2-384", "SHA2-512", "SHA1"},
                           {TokenCipher::aes256_cbc, TokenCipher::aes256_wrap_pad}};
const TokenEncryption kLittle{{"SHA1"}, {TokenCipher::aes256_wrap_pad}};

Certificate certificate_of(const std::string& kind) {
  const Issuer root = make_root();
  CertificateContents contents = leaf_contents(root, test::software_key(kind).public_key());
  std::erase_if(contents.extensions,
                [](const Extension& extension) { return extension.oid == oid::kKeyUsage; });
  return signed_certificate(contents, root.key);
}

TokenRecipient recipient(const SmimeCapabilities& capabilities, const TokenEncryption& able = kAll,
                         const std::string& kind = "RSA-2048") {
  const Certificate certificate = certificate_of(kind);
  return token_recipient(certificate.subject_key_identifier(), certificate, capabilities, able);
}

template <class... Arguments>
std::string refused(const Arguments&... arguments) {
  return test::refusal([&] { static_cast<void>(recipient(arguments...)); });
}

/// What a token does with a key, by our own hand.
TokenEncryptedKey encrypted(const SecureBytes& pkcs8, const TokenRecipient& recipient) {
  SecureBytes content_key(32);
  random_fill(content_key.span());
  TokenEncryptedKey key;
  key.content_key = encrypt_key({recipient.key, {"", recipient.oaep_digest, ""}}, content_key);
  if (recipient.cipher == TokenCipher::aes256_cbc) {
    key.iv = Bytes(16, 0x5A);
    key.content = encrypt_content(kAes256, content_key, key.iv, pkcs8);
  } else {
    key.content = wrap_key(kWrapPad, content_key.view(), pkcs8);
  }
  return key;
}

TEST(TokenEnvelope, OpensslOpensWhatIsEncryptedByCbc) {
  const Desk desk;
  const Certificate certificate = certificate_of("RSA-2048");
  desk.put("device.pem", certificate.to_pem());
  desk.put("device.key", test::software_key("RSA-2048").to_pem().text());
  const SecureBytes pkcs8 = pkcs8_of(test::software_key("P-384"));
  for (const std::string& digest : kAll.oaep_digests) {
    const TokenRecipient to{certificate.public_key(), digest, TokenCipher::aes256_cbc};
    const Bytes message =
        token_envelope(certificate.subject_key_identifier(), to, encrypted(pkcs8, to));
    EXPECT_EQ(
        desk.output_of("cms -decrypt -binary -inform DER -in " + desk.put("message.der", message) +
                       " -recip " + desk.path("device.pem") + " -inkey " + desk.path("device.key")),
        plain(pkcs8))
        << digest << desk.report();
    EXPECT_EQ(written_again(message), message) << digest;
  }
}

/// No CMS reader of OpenSSL's: its parts are what docs/serverkeygen.md takes out by commands.
TEST(TokenEnvelope, HasTheFormOfRfc5652AndRfc5649) {
  const TokenRecipient to = recipient({.key_wraps = {kWrapPad}, .oaep_sha1 = true}, kLittle);
  const TokenEncryptedKey key = encrypted(pkcs8_of(test::software_key("P-256")), to);
  const Bytes message = token_envelope(Bytes{1, 2, 3}, to, key);
  const Bytes info = der::sequence({der::small_integer(2), der::tlv(0x80, Bytes{1, 2, 3}),
                                    from_hex("300d06092a864886f70d0101073000"),
                                    der::octet_string(key.content_key)});
  const Bytes content = der::sequence({der::oid("1.2.840.113549.1.7.1"),
                                       from_hex("300b060960864801650304"
                                                "0130"),
                                       der::tlv(0x80, key.content)});
  const Bytes enveloped = der::sequence({der::small_integer(2), der::tlv(0x31, info), content});
  EXPECT_EQ(message, der::sequence({der::oid("1.2.840.113549.1.7.3"), der::tlv(0xA0, enveloped)}));
  EXPECT_EQ(written_again(message), message);
}

TEST(TokenEnvelope, TheClientsFirstDigestThatTheTokenHas) {
  EXPECT_EQ(recipient({.key_transports = {kRsaEncryption, kOaep384, kOaep256}}).oaep_digest,
            "SHA2-384");
  EXPECT_EQ(
      recipient({.key_transports = {kOaep384, kOaep256}}, {{"SHA1", "SHA2-256"}, kAll.ciphers})
          .oaep_digest,
      "SHA2-256");
}

TEST(TokenEnvelope, Sha1IsTheLastResortAndAskedFor) {
  EXPECT_EQ(recipient({.key_transports = {kOaep256}, .oaep_sha1 = true}).oaep_digest, "SHA2-256");
  EXPECT_EQ(
      recipient({.key_wraps = {kWrapPad}, .key_transports = {kOaep256}, .oaep_sha1 = true}, kLittle)
          .oaep_digest,
      "SHA1");
  EXPECT_EQ(
      refused(SmimeCapabilities{.key_wraps = {kWrapPad}, .key_transports = {kOaep256}}, kLittle),
      kNoCommon);
  EXPECT_EQ(refused(SmimeCapabilities{.key_transports = {kRsaEncryption}}), kNoCommon);
  EXPECT_EQ(
      refused(SmimeCapabilities{.oaep_sha1 = true}, TokenEncryption{{"SHA2-256"}, kAll.ciphers}),
      kNoCommon);
}

TEST(TokenEnvelope, CbcUnlessTheClientListsOtherCiphers) {
  const std::vector<KeyTransport> oaep{kOaep256};
  EXPECT_EQ(recipient({.key_wraps = {kWrapPad}, .key_transports = oaep}).cipher,
            TokenCipher::aes256_wrap_pad)
      << "it is what the client lists";
  EXPECT_EQ(recipient({.key_transports = oaep}).cipher, TokenCipher::aes256_cbc);
  EXPECT_EQ(
      recipient({.key_wraps = {kWrapPad}, .key_transports = oaep, .content_ciphers = {kAes256}})
          .cipher,
      TokenCipher::aes256_cbc);
  EXPECT_EQ(
      recipient({.key_wraps = {kWrapPad}, .key_transports = oaep, .content_ciphers = {kAes128}})
          .cipher,
      TokenCipher::aes256_wrap_pad);
  EXPECT_EQ(
      recipient({.key_wraps = {kWrapPad}, .key_transports = oaep, .other_content_ciphers = true})
          .cipher,
      TokenCipher::aes256_wrap_pad);
  EXPECT_EQ(refused(SmimeCapabilities{.key_transports = oaep, .content_ciphers = {kAes128}}),
            kNoCommon);
  EXPECT_EQ(refused(SmimeCapabilities{.key_transports = oaep, .oaep_sha1 = true}, kLittle),
            kNoCommon);
}

TEST(TokenEnvelope, ForTheRsaKeyOfThatCertificateOnly) {
  const SmimeCapabilities capabilities{.key_transports = {kOaep256}};
  for (const char* kind : {"P-256", "Ed25519"}) {
    EXPECT_EQ(refused(capabilities, kAll, kind), "malformed serverkeygen.hsm_wrapped_kind");
  }
  const Certificate certificate = certificate_of("RSA-2048");
  EXPECT_EQ(test::refusal([&] {
              static_cast<void>(token_recipient(Bytes{1}, certificate, capabilities, kAll));
            }),
            "malformed serverkeygen.unknown_key");
  EXPECT_EQ(test::refusal([&] {
              static_cast<void>(token_recipient(Bytes(), certificate, capabilities, kAll));
            }),
            "malformed serverkeygen.unknown_key");
}

}  // namespace
}  // namespace estia::crypto
