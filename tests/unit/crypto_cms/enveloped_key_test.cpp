// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/enveloped_key.h"

#include <gtest/gtest.h>

#include "crypto/cms/key_package.h"
#include "tests/unit/crypto_cms/key_package_fixture.h"

namespace estia::crypto {
namespace {

const std::vector<KeyWrap>& kWraps = known_key_wraps();

const Bytes kIdentifier{'k', 'e', 'y', ' ', '7'};

SecureBytes some_package() {
  const Issuer signer = signer_of("P-256");
  return signed_key_package(pkcs8_of(test::software_key("P-384")), signer.key, signer.certificate,
                            kNow);
}

Bytes kek_of(unsigned bits) {
  Bytes key(bits / 8);
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<std::uint8_t>(i * 7 + bits);
  }
  return key;
}

KeyRecipient secret_key(const KeyWrap& wrap, const ContentCipher& cipher) {
  return {kIdentifier, cipher, KeyRecipient::SecretKey{Secret(kek_of(wrap.bits)), wrap}};
}

/// A device with a certificate.
struct Device {
  PrivateKey key;
  Certificate certificate;
};

Device device_of(const std::string& kind) {
  const Issuer root = make_root();
  const PrivateKey key = test::software_key(kind);
  CertificateContents contents = leaf_contents(root, key.public_key());
  std::erase_if(contents.extensions,
                [](const Extension& extension) { return extension.oid == oid::kKeyUsage; });
  return {key, signed_certificate(contents, root.key)};
}

KeyRecipient recipient(const Device& device, const SmimeCapabilities& capabilities) {
  return certificate_recipient(device.certificate.subject_key_identifier(), device.certificate,
                               capabilities);
}

/// What `openssl cms -decrypt` finds; empty when it refuses.
Bytes decrypted(const Desk& desk, const Bytes& message, const std::string& secret_key) {
  return desk.output_of("cms -decrypt -binary -inform DER -in " + desk.put("message.der", message) +
                        " -secretkeyid " + to_hex(kIdentifier) + " -secretkey " + secret_key);
}

Bytes decrypted(const Desk& desk, const Bytes& message, const Device& device) {
  desk.put("device.pem", device.certificate.to_pem());
  desk.put("device.key", device.key.to_pem().text());
  return desk.output_of("cms -decrypt -binary -inform DER -in " + desk.put("message.der", message) +
                        " -recip " + desk.path("device.pem") + " -inkey " +
                        desk.path("device.key"));
}

/// The fields of EnvelopedData, and of its one RecipientInfo.
struct Parts {
  der::Element version;
  der::Element info;
  std::vector<der::Element> fields;
  der::Element content_type;
  der::Element cipher;
  der::Element content;
};

Parts split(ByteView message) {
  Parts parts;
  ByteView content_info = der::read(message).value;
  EXPECT_EQ(to_hex(der::read(content_info).whole), "06092a864886f70d010703");
  ByteView wrapper = der::read(content_info).value;
  ByteView enveloped = der::read(wrapper).value;
  parts.version = der::read(enveloped);
  ByteView infos = der::read(enveloped).value;
  parts.info = der::read(infos);
  EXPECT_TRUE(infos.empty()) << "one recipient";
  for (ByteView rest = parts.info.value; !rest.empty();) {
    parts.fields.push_back(der::read(rest));
  }
  ByteView encrypted = der::read(enveloped).value;
  EXPECT_TRUE(enveloped.empty()) << "no unprotected attributes";
  parts.content_type = der::read(encrypted);
  parts.cipher = der::read(encrypted);
  parts.content = der::read(encrypted);
  return parts;
}

TEST(EnvelopedKey, OpensslDecryptsWithEverySecretKey_EST_4_4_2_e) {
  const Desk desk;
  const SecureBytes package = some_package();
  for (const KeyWrap& wrap : kWraps) {
    if (wrap.cipher.ends_with("PAD")) {
      continue;  // `openssl cms` has no such key wrap: PaddedKeyWrapIsThatOfRfc5649
    }
    for (const ContentCipher& cipher : known_content_ciphers()) {
      const Bytes message = enveloped_key(package, secret_key(wrap, cipher));
      EXPECT_EQ(to_hex(decrypted(desk, message, to_hex(kek_of(wrap.bits)))), to_hex(package.view()))
          << wrap.cipher << cipher.cipher << desk.report();
      EXPECT_EQ(to_hex(written_again(message)), to_hex(message));
      Bytes wrong = kek_of(wrap.bits);
      wrong.back() ^= 1U;
      EXPECT_TRUE(decrypted(desk, message, to_hex(wrong)).empty());
    }
  }
}

TEST(EnvelopedKey, PaddedKeyWrapIsThatOfRfc5649) {
  const Desk desk;
  const SecureBytes package = some_package();
  for (const KeyWrap& wrap : kWraps) {
    if (!wrap.cipher.ends_with("PAD")) {
      continue;
    }
    for (const ContentCipher& cipher : known_content_ciphers()) {
      const Bytes message = enveloped_key(package, secret_key(wrap, cipher));
      EXPECT_EQ(to_hex(written_again(message)), to_hex(message));
      const Parts parts = split(message);
      const Bytes content_key = desk.output_of(
          "enc -d -id-aes" + std::to_string(wrap.bits) + "-wrap-pad -iv A65959A6 -K " +
          to_hex(kek_of(wrap.bits)) + " -in " + desk.put("wrapped", parts.fields.at(3).value));
      ASSERT_EQ(content_key.size(), cipher.bits / 8) << desk.report();
      ByteView algorithm = parts.cipher.value;
      static_cast<void>(der::read(algorithm));
      const Bytes content =
          desk.output_of("enc -d -aes-" + std::to_string(cipher.bits) + "-cbc -K " +
                         to_hex(content_key) + " -iv " + to_hex(der::read(algorithm).value) +
                         " -in " + desk.put("content", parts.content.value));
      EXPECT_EQ(to_hex(content), to_hex(package.view())) << desk.report();
    }
  }
}

TEST(EnvelopedKey, OpensslDecryptsWithRsa_EST_4_4_2_e) {
  const Desk desk;
  const SecureBytes package = some_package();
  for (const char* kind : {"RSA-2048", "RSA-3072", "RSA-4096"}) {
    const Device device = device_of(kind);
    for (const KeyTransport& transport : known_key_transports()) {
      if (transport.digest.empty()) {
        continue;  // PKCS#1 v1.5 is never chosen
      }
      const Bytes message =
          enveloped_key(package, recipient(device, {.key_transports = {transport}}));
      EXPECT_EQ(to_hex(decrypted(desk, message, device)), to_hex(package.view()))
          << kind << transport.digest << desk.report();
      EXPECT_EQ(to_hex(written_again(message)), to_hex(message));
    }
  }
}

TEST(EnvelopedKey, OpensslDecryptsWithEveryCurveAndScheme_EST_4_4_2_e) {
  const Desk desk;
  const SecureBytes package = some_package();
  for (const char* kind : {"P-256", "P-384", "P-521"}) {
    const Device device = device_of(kind);
    for (const KeyAgreementScheme& scheme : known_key_agreement_schemes()) {
      for (const std::size_t wrap : {0U, 1U, 2U}) {
        const Bytes message =
            enveloped_key(package, recipient(device, {.key_agreements = {{scheme, kWraps[wrap]}}}));
        EXPECT_EQ(to_hex(decrypted(desk, message, device)), to_hex(package.view()))
            << kind << scheme.digest << wrap << desk.report();
        EXPECT_EQ(to_hex(written_again(message)), to_hex(message));
      }
    }
  }
}

TEST(EnvelopedKey, AnotherKeyDoesNotDecrypt) {
  const Desk desk;
  const SecureBytes package = some_package();
  for (const auto& [kind, capabilities] :
       {std::pair{"RSA-2048", SmimeCapabilities{.key_transports = {known_key_transports()[0]}}},
        std::pair{"P-256", SmimeCapabilities{.key_agreements = {{known_key_agreement_schemes()[0],
                                                                 kWraps[0]}}}}}) {
    const Device device = device_of(kind);
    const Bytes message = enveloped_key(package, recipient(device, capabilities));
    ASSERT_FALSE(decrypted(desk, message, device).empty()) << desk.report();
    // The right certificate, so that a recipient is found; the key is another one of that kind.
    const Device other{PrivateKey::generate_software(KeySpec::parse(kind)), device.certificate};
    EXPECT_NE(decrypted(desk, message, other), plain(package));
  }
}

TEST(EnvelopedKey, TheWholeWayToTheKey_EST_4_4_2_c) {
  const Desk desk;
  const PrivateKey generated = test::software_key("RSA-2048");
  const SecureBytes key = pkcs8_of(generated);
  const Device device = device_of("P-256");
  for (const char* signer_kind : {"P-384", "RSA-2048"}) {
    const Issuer signer = signer_of(signer_kind);
    const Bytes message = enveloped_key(
        signed_key_package(key, signer.key, signer.certificate, kNow),
        recipient(device, {.key_agreements = {{known_key_agreement_schemes()[0], kWraps[0]}}}));
    const Bytes signed_data = decrypted(desk, message, device);
    const Bytes content = verified_content(desk, signed_data, signer.certificate);
    ASSERT_FALSE(content.empty()) << desk.report();
    ByteView package = content;
    const std::string file = desk.put("key.der", der::read(package).value);
    EXPECT_EQ(to_hex(desk.output_of("pkey -inform DER -in " + file + " -pubout -outform DER")),
              to_hex(generated.public_key().spki()));
  }
}

TEST(EnvelopedKey, KekRecipientInfo_EST_4_4_2_e) {
  const Bytes message =
      enveloped_key(some_package(), secret_key(kWraps[2], known_content_ciphers()[2]));
  const Parts parts = split(message);
  EXPECT_EQ(to_hex(parts.version.whole), "020102");
  EXPECT_EQ(parts.info.tag, 0xA2);
  ASSERT_EQ(parts.fields.size(), 4U);
  EXPECT_EQ(to_hex(parts.fields[0].whole), "020104");
  EXPECT_EQ(to_hex(parts.fields[1].whole), "300704056b65792037");
  EXPECT_EQ(to_hex(parts.fields[2].whole), "300b060960864801650304012d");
  EXPECT_EQ(parts.fields[3].value.size(), 40U);  // RFC 3394: one block of eight more
  EXPECT_EQ(to_hex(parts.content_type.whole), "06092a864886f70d010702");
  EXPECT_EQ(parts.content.tag, 0x80);
}

TEST(EnvelopedKey, KeyTransRecipientInfo_EST_4_4_2_e) {
  const Device device = device_of("RSA-2048");
  const Bytes message = enveloped_key(
      some_package(), recipient(device, {.key_transports = {known_key_transports()[0]}}));
  const Parts parts = split(message);
  EXPECT_EQ(to_hex(parts.version.whole), "020102");
  EXPECT_EQ(parts.info.tag, 0x30);
  ASSERT_EQ(parts.fields.size(), 4U);
  EXPECT_EQ(to_hex(parts.fields[0].whole), "020102");
  EXPECT_EQ(to_hex(parts.fields[1].whole),
            to_hex(der::tlv(0x80, device.certificate.subject_key_identifier())));
  // RSAES-OAEP-SHA256-Identifier, RFC 3560 5
  EXPECT_EQ(to_hex(parts.fields[2].whole),
            "303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f7"
            "0d010108300d06096086480165030402010500");
  EXPECT_EQ(parts.fields[3].value.size(), 256U);
}

TEST(EnvelopedKey, KeyAgreeRecipientInfo_EST_4_4_2_e) {
  const Device device = device_of("P-256");
  const Bytes message = enveloped_key(
      some_package(),
      recipient(device, {.key_agreements = {{known_key_agreement_schemes()[0], kWraps[0]}}}));
  const Parts parts = split(message);
  EXPECT_EQ(to_hex(parts.version.whole), "020102");
  EXPECT_EQ(parts.info.tag, 0xA1);
  ASSERT_EQ(parts.fields.size(), 5U);
  EXPECT_EQ(to_hex(parts.fields[0].whole), "020103");
  // originator [0] { originatorKey [1] { id-ecPublicKey, uncompressed point } }
  EXPECT_TRUE(to_hex(parts.fields[1].whole).starts_with("a051a14f300906072a8648ce3d020103420004"))
      << to_hex(parts.fields[1].whole);
  EXPECT_EQ(to_hex(parts.fields[2].whole).substr(0, 8), "a1220420");  // ukm
  EXPECT_EQ(to_hex(parts.fields[3].whole), "301506062b8104010b01300b0609608648016503040105");
  ByteView keys = parts.fields[4].value;
  ByteView encrypted_key = der::read(keys).value;
  EXPECT_TRUE(keys.empty());
  EXPECT_EQ(to_hex(der::read(encrypted_key).whole),
            to_hex(der::tlv(0xA0, der::octet_string(device.certificate.subject_key_identifier()))));
}

TEST(EnvelopedKey, NothingIsUsedTwice) {
  const SecureBytes package = some_package();
  const Device device = device_of("P-256");
  const KeyRecipient to =
      recipient(device, {.key_agreements = {{known_key_agreement_schemes()[0], kWraps[0]}}});
  const Bytes first = enveloped_key(package, to);
  const Bytes second = enveloped_key(package, to);
  const Parts one = split(first);
  const Parts two = split(second);
  for (const std::size_t field : {1U, 2U, 4U}) {  // ephemeral key, ukm, wrapped content key
    EXPECT_NE(to_hex(one.fields[field].value), to_hex(two.fields[field].value)) << field;
  }
  EXPECT_NE(to_hex(one.cipher.value), to_hex(two.cipher.value)) << "IV";
  EXPECT_NE(to_hex(one.content.value), to_hex(two.content.value));
}

TEST(EnvelopedKey, LeavesNothingInTheSecureHeap) {
  const SecureBytes package = some_package();
  const Device agreement = device_of("P-256");
  const Device transport = device_of("RSA-2048");
  const std::size_t before = ::CRYPTO_secure_used();
  static_cast<void>(enveloped_key(package, secret_key(kWraps[0], known_content_ciphers()[0])));
  static_cast<void>(enveloped_key(
      package, recipient(transport, {.key_transports = {known_key_transports()[0]}})));
  static_cast<void>(enveloped_key(
      package,
      recipient(agreement, {.key_agreements = {{known_key_agreement_schemes()[0], kWraps[0]}}})));
  EXPECT_EQ(::CRYPTO_secure_used(), before);
}

}  // namespace
}  // namespace estia::crypto
