// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/key_package.h"

#include <gtest/gtest.h>

#include "tests/unit/crypto_cms/key_package_fixture.h"

namespace estia::crypto {
namespace {

constexpr const char* kKinds[] = {"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072"};

Bytes package_of(const SecureBytes& key, const Issuer& signer) {
  return plain(signed_key_package(key, signer.key, signer.certificate, kNow));
}

/// The elements of a SignedData.
struct Parts {
  der::Element version;
  der::Element digests;
  der::Element content;
  der::Element certificates;
  der::Element signers;
};

Parts split(ByteView signed_data) {
  ByteView fields = der::read(signed_data).value;
  Parts parts;
  for (der::Element* part :
       {&parts.version, &parts.digests, &parts.content, &parts.certificates, &parts.signers}) {
    *part = der::read(fields);
  }
  EXPECT_TRUE(fields.empty());
  return parts;
}

TEST(KeyPackage, OpensslVerifiesItAndFindsTheKey_EST_4_4_2_c) {
  const Desk desk;
  for (const char* kind : kKinds) {
    const Issuer signer = signer_of(kind);
    const SecureBytes key = pkcs8_of(test::software_key("P-256"));
    const Bytes content = verified_content(desk, package_of(key, signer), signer.certificate);
    // AsymmetricKeyPackage of one OneAsymmetricKey.
    EXPECT_EQ(to_hex(content), to_hex(der::sequence({key.view()}))) << kind << desk.report();
  }
}

TEST(KeyPackage, CarriesEveryKindOfKey) {
  const Desk desk;
  const Issuer signer = signer_of("P-256");
  for (const char* kind : {"P-256", "P-384", "P-521", "RSA-2048", "RSA-4096", "Ed25519"}) {
    const PrivateKey key = test::software_key(kind);
    const Bytes content =
        verified_content(desk, package_of(pkcs8_of(key), signer), signer.certificate);
    ASSERT_FALSE(content.empty()) << desk.report();
    ByteView rest = content;
    const std::string file = desk.put("key.der", der::read(rest).value);
    const Bytes spki = desk.output_of("pkey -inform DER -in " + file + " -pubout -outform DER");
    EXPECT_EQ(to_hex(spki), to_hex(key.public_key().spki())) << kind << desk.report();
  }
}

TEST(KeyPackage, HasTheFormOfRfc5958And5652_EST_4_4_2_d) {
  const Issuer signer = signer_of("P-256");
  const SecureBytes key = pkcs8_of(test::software_key("P-384"));
  const Bytes package = package_of(key, signer);
  EXPECT_NO_THROW(der::check_structure(package));
  const Parts parts = split(package);
  EXPECT_EQ(to_hex(parts.version.whole), "020103");
  EXPECT_EQ(to_hex(parts.digests.whole), "310d300b0609608648016503040201");
  ByteView content = parts.content.value;
  EXPECT_EQ(to_hex(der::read(content).whole), "060a60864801650201024e05");
  EXPECT_EQ(to_hex(content),
            to_hex(der::tlv(0xA0, der::octet_string(der::sequence({key.view()})))));
  EXPECT_EQ(to_hex(parts.certificates.whole), to_hex(der::tlv(0xA0, signer.certificate.der())));
  ByteView signers = parts.signers.value;
  ByteView info = der::read(signers).value;
  EXPECT_EQ(to_hex(der::read(info).whole), "020103");
  EXPECT_EQ(to_hex(der::read(info).whole),
            to_hex(der::tlv(0x80, signer.certificate.subject_key_identifier())));
}

TEST(KeyPackage, OpensslWritesTheSameDer_EST_4_4_2_d) {
  for (const char* kind : kKinds) {
    const Bytes message =
        content_info(package_of(pkcs8_of(test::software_key("P-256")), signer_of(kind)));
    EXPECT_EQ(to_hex(written_again(message)), to_hex(message)) << kind;
  }
}

TEST(KeyPackage, SignsTheThreeAttributesAndNoOther_EST_4_4_2_d) {
  const Bytes message =
      content_info(package_of(pkcs8_of(test::software_key("P-256")), signer_of("P-256")));
  const unsigned char* at = message.data();
  const CmsPtr cms(::d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(message.size())));
  ASSERT_NE(cms, nullptr);
  STACK_OF(CMS_SignerInfo)* signers = ::CMS_get0_SignerInfos(cms.get());
  ASSERT_EQ(sk_CMS_SignerInfo_num(signers), 1);
  const CMS_SignerInfo* signer = sk_CMS_SignerInfo_value(signers, 0);
  EXPECT_EQ(::CMS_signed_get_attr_count(signer), 3);
  for (const int attribute :
       {NID_pkcs9_contentType, NID_pkcs9_messageDigest, NID_pkcs9_signingTime}) {
    EXPECT_GE(::CMS_signed_get_attr_by_NID(signer, attribute, -1), 0) << attribute;
  }
  EXPECT_EQ(::CMS_unsigned_get_attr_count(signer), -1);
}

TEST(KeyPackage, TheSignerIsNamedByIssuerAndSerialWithoutAKeyIdentifier) {
  const Desk desk;
  const PrivateKey key = test::software_key("P-256");
  CertificateContents contents = ca_contents("No identifier", key.public_key(), -1);
  std::erase_if(contents.extensions, [](const Extension& extension) {
    return extension.oid == oid::kSubjectKeyIdentifier;
  });
  const Issuer signer{key, signed_certificate(contents, key)};
  const SecureBytes content = pkcs8_of(test::software_key("P-384"));
  const Bytes package = package_of(content, signer);
  EXPECT_EQ(to_hex(verified_content(desk, package, signer.certificate)),
            to_hex(der::sequence({content.view()})))
      << desk.report();
  ByteView signers = split(package).signers.value;
  ByteView info = der::read(signers).value;
  EXPECT_EQ(to_hex(der::read(info).whole), "020101");
}

TEST(KeyPackage, AChangedByteDoesNotVerify) {
  const Desk desk;
  const Issuer signer = signer_of("P-256");
  const SecureBytes key = pkcs8_of(test::software_key("P-384"));
  Bytes package = package_of(key, signer);
  ASSERT_FALSE(verified_content(desk, package, signer.certificate).empty());
  const auto content = std::ranges::search(package, key.view());
  ASSERT_FALSE(content.empty());
  content.back() ^= 1U;
  EXPECT_TRUE(verified_content(desk, package, signer.certificate).empty());
}

/// RFC 8419 3.1: SHA-512, and the attributes are what Ed25519 signs.
TEST(KeyPackage, Ed25519SignsWithSha512) {
  const Issuer signer = signer_of("Ed25519");
  const SecureBytes key = pkcs8_of(test::software_key("P-256"));
  const Bytes package = package_of(key, signer);
  const Parts parts = split(package);
  EXPECT_EQ(to_hex(parts.digests.whole), "310d300b0609608648016503040203");
  ByteView signers = parts.signers.value;
  ByteView info = der::read(signers).value;
  for (int skipped = 0; skipped < 3; ++skipped) {
    static_cast<void>(der::read(info));
  }
  const ByteView attributes = der::read(info).whole;
  EXPECT_EQ(to_hex(der::read(info).whole), "300506032b6570");
  const ByteView signature = der::read(info).value;
  Bytes signed_set(attributes.begin(), attributes.end());
  signed_set.front() = 0x31;
  const PublicKey& verifier = signer.certificate.public_key();
  EXPECT_TRUE(verifier.verify(signed_set, signature, SignatureAlgorithm::for_key(verifier)));
}

TEST(KeyPackage, LivesInTheSecureHeapAndLeavesNothingThere) {
  const Issuer signer = signer_of("P-256");
  const SecureBytes key = pkcs8_of(test::software_key("P-256"));
  const std::size_t before = ::CRYPTO_secure_used();
  {
    SecureBytes package = signed_key_package(key, signer.key, signer.certificate, kNow);
    EXPECT_EQ(::CRYPTO_secure_allocated(package.data()), 1);
  }
  EXPECT_EQ(::CRYPTO_secure_used(), before);
}

TEST(KeyPackage, OnlyAPrivateKeyInfoOfVersion0IsPacked_EST_4_4_2_b) {
  const Issuer signer = signer_of("P-256");
  const Bytes good = plain(pkcs8_of(test::software_key("P-256")));
  Bytes version1 = good;
  ASSERT_EQ(version1.at(version1[1] < 0x80 ? 4 : 5), 0);
  version1[version1[1] < 0x80 ? 4 : 5] = 1;
  Bytes padded = good;  // as a token's key wrap leaves it
  padded.push_back(0);
  const Bytes key = der::octet_string(Bytes(32));
  const Bytes algorithm = der::sequence({der::oid("1.3.101.112")});
  for (const Bytes& broken :
       {Bytes{}, version1, padded, Bytes(good.begin(), good.end() - 1), der::null(),
        der::sequence({der::small_integer(0), key}),
        der::sequence({der::small_integer(0), key, algorithm}),
        der::tlv(0x31, der::sequence({der::small_integer(0), algorithm, key}))}) {
    EXPECT_EQ(test::refusal([&] { static_cast<void>(package_of(secure(broken), signer)); }),
              "internal key_package.key");
  }
}

TEST(KeyPackage, TheCertificateIsThatOfTheSigner) {
  const Issuer signer = signer_of("P-256");
  const Issuer other = signer_of("P-384");
  const SecureBytes key = pkcs8_of(test::software_key("P-256"));
  EXPECT_EQ(test::refusal([&] {
              static_cast<void>(signed_key_package(key, signer.key, other.certificate, kNow));
            }),
            "internal key_package.signer");
}

}  // namespace
}  // namespace estia::crypto
