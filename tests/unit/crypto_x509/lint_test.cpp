// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/lint.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/base/der.h"
#include "crypto/x509/extension_list.h"
#include "tests/unit/crypto_x509/certificate_forge.h"

namespace estia::crypto {
namespace {

const Issuer& issuer() {
  static const Issuer made = make_root();
  return made;
}

/// A TBSCertificate put together by hand, so that the builder's own checks are not in the way.
struct Tbs {
  Bytes version = der::tlv(0xA0, der::small_integer(2));
  Bytes serial = der::small_integer(77);
  Bytes algorithm = SignatureAlgorithm::for_key(issuer().key.public_key()).algorithm_identifier;
  Bytes issuer_name = issuer().certificate.subject().der();
  Bytes not_before = der::tlv(0x17, as_bytes("260101000000Z"));
  Bytes not_after = der::tlv(0x17, as_bytes("270101000000Z"));
  Bytes subject = Name::from_text("CN=leaf").der();
  PublicKey key = test::software_key("P-256").public_key();
  std::vector<Extension> extensions =
      leaf_contents(issuer(), test::software_key("P-256").public_key()).extensions;

  [[nodiscard]] Bytes der() const {
    return der::sequence({version, serial, algorithm, issuer_name,
                          der::sequence({not_before, not_after}), subject, key.spki(),
                          der::tlv(0xA3, encode_extensions(extensions))});
  }
  Extension& extension(std::string_view oid) {
    return *std::find_if(extensions.begin(), extensions.end(),
                         [&](const Extension& one) { return one.oid == oid; });
  }
  void drop(std::string_view oid) {
    std::erase_if(extensions, [&](const Extension& one) { return one.oid == oid; });
  }
};

std::string findings(const Bytes& tbs) {
  std::string ids;
  for (const Finding& finding :
       lint_tbs(tbs, SignatureAlgorithm::for_key(issuer().key.public_key()))) {
    EXPECT_FALSE(finding.text.empty()) << finding.id;
    ids += (ids.empty() ? "" : " ") + finding.id;
  }
  return ids;
}

TEST(Lint, AGoodCertificateHasNoFindings) {
  EXPECT_EQ(findings(Tbs().der()), "");
  EXPECT_EQ(findings(issuer().certificate.tbs()), "");
  EXPECT_EQ(findings(make_sub_ca(issuer(), "Sub", 0).certificate.tbs()), "");
}

TEST(Lint, VersionAndAlgorithm_X509_4_1_1_2) {
  Tbs tbs;
  tbs.version = der::tlv(0xA0, der::small_integer(1));
  EXPECT_EQ(findings(tbs.der()), "version");
  tbs = Tbs();
  tbs.algorithm = der::sequence({der::oid("1.2.840.113549.1.1.11"), der::null()});
  EXPECT_EQ(findings(tbs.der()), "signature_algorithm");
}

TEST(Lint, Serial_X509_4_1_2_2_a) {
  Tbs tbs;
  for (const auto& [serial, expected] :
       {std::pair{Bytes(21, 0x01), "serial.size"}, std::pair{Bytes(20, 0x01), ""},
        std::pair{Bytes{0x80}, "serial.size"}, std::pair{Bytes{0x00}, "serial.zero"},
        std::pair{Bytes{}, "serial.size serial.zero"}}) {
    tbs.serial = der::tlv(0x02, serial);
    EXPECT_EQ(findings(tbs.der()), expected) << to_hex(serial);
  }
}

TEST(Lint, TimesAreWellFormedAndInTheRightType_X509_4_1_2_5_a) {
  const std::pair<std::uint8_t, const char*> wrong[] = {{0x17, "2701010000Z"},
                                                        {0x17, "270101000000+0000"},
                                                        {0x17, "270101000000"},
                                                        {0x17, "271301000000Z"},
                                                        {0x17, "270100000000Z"},
                                                        {0x17, "270101240000Z"},
                                                        {0x17, "270101006000Z"},
                                                        {0x17, "270101000060Z"},
                                                        {0x17, "27010100000aZ"},
                                                        {0x18, "20270101000000Z"},
                                                        {0x18, "20491231235959Z"},
                                                        {0x18, "20500101000000.5Z"},
                                                        {0x18, "20500101000000"},
                                                        {0x17, "20500101000000Z"},
                                                        {0x18, "270101000000Z"},
                                                        {0x0C, "270101000000Z"},
                                                        {0x17, ""}};
  for (const auto& [tag, text] : wrong) {
    Tbs tbs;
    tbs.not_after = der::tlv(tag, as_bytes(text));
    EXPECT_EQ(findings(tbs.der()), "validity.form") << text;
  }
  for (const auto& [tag, text] : {std::pair<std::uint8_t, const char*>{0x17, "491231235959Z"},
                                  {0x18, "20500101000000Z"},
                                  {0x18, "99991231235959Z"}}) {
    Tbs tbs;
    tbs.not_after = der::tlv(tag, as_bytes(text));
    EXPECT_EQ(findings(tbs.der()), "") << text;
  }
}

TEST(Lint, ValidityDoesNotEndBeforeItBegins) {
  Tbs tbs;
  std::swap(tbs.not_before, tbs.not_after);
  EXPECT_EQ(findings(tbs.der()), "validity.reversed");
  tbs = Tbs();
  tbs.not_after = der::tlv(0x17, as_bytes("500101000000Z"));  // 1950
  EXPECT_EQ(findings(tbs.der()), "validity.reversed");
}

TEST(Lint, UpperBoundsCountCharacters_X509_4_1_2_4_b) {
  Tbs tbs;
  tbs.subject = Name::from_text("CN=" + std::string(64, 'x')).der();
  EXPECT_EQ(findings(tbs.der()), "");
  tbs.subject = Name::from_text("CN=" + std::string(65, 'x')).der();
  EXPECT_EQ(findings(tbs.der()), "name.too_long");
  std::string umlauts;
  for (int i = 0; i < 64; ++i) {
    umlauts += "\xC3\xA4";
  }
  tbs.subject = Name::from_text("O=" + umlauts).der();
  EXPECT_EQ(findings(tbs.der()), "");
  tbs.subject = der::sequence(
      {der::tlv(0x31, der::sequence({der::oid("2.5.4.6"), der::tlv(0x13, as_bytes("FIN"))}))});
  EXPECT_EQ(findings(tbs.der()), "name.country");
}

TEST(Lint, NamesAndTheAlternativeName_X509_4_1_2_6_b) {
  Tbs tbs;
  tbs.issuer_name = {0x30, 0x00};
  EXPECT_EQ(findings(tbs.der()), "issuer.empty");
  tbs = Tbs();
  tbs.subject = {0x30, 0x00};
  EXPECT_EQ(findings(tbs.der()), "subject.empty");
  const GeneralNames names = GeneralNames::from_texts({"dns:a.example"});
  tbs.extensions.push_back(subject_alt_name(names, false));
  EXPECT_EQ(findings(tbs.der()), "subject.empty");
  tbs.extensions.back().critical = true;
  EXPECT_EQ(findings(tbs.der()), "");
  tbs.subject = Tbs().subject;
  EXPECT_EQ(findings(tbs.der()), "san.critical");
  tbs.extensions.back() = {std::string(oid::kSubjectAltName), false, {0x30, 0x00}};
  EXPECT_EQ(findings(tbs.der()), "structure");
}

TEST(Lint, KeyIdentifiersStandThereAndAreNotCritical) {
  Tbs tbs;
  tbs.drop(oid::kSubjectKeyIdentifier);
  EXPECT_EQ(findings(tbs.der()), "ski.missing");
  tbs = Tbs();
  tbs.drop(oid::kAuthorityKeyIdentifier);
  EXPECT_EQ(findings(tbs.der()), "aki.missing");
  tbs = Tbs();
  tbs.extension(oid::kSubjectKeyIdentifier).critical = true;
  EXPECT_EQ(findings(tbs.der()), "extension.critical");
}

TEST(Lint, KeyUsageFitsTheKey_X509_4_2_1_3_a) {
  const auto with = [](const char* spec, const KeyUsageNames& bits) {
    Tbs tbs;
    tbs.key = test::software_key(spec).public_key();
    tbs.extension(oid::kKeyUsage) = key_usage(bits);
    return findings(tbs.der());
  };
  EXPECT_EQ(with("P-256", {"digitalSignature", "keyAgreement"}), "");
  EXPECT_EQ(with("RSA-2048", {"keyEncipherment", "dataEncipherment"}), "");
  EXPECT_EQ(with("P-256", {"keyEncipherment"}), "key_usage.encipherment");
  EXPECT_EQ(with("Ed25519", {"dataEncipherment"}), "key_usage.encipherment");
  EXPECT_EQ(with("Ed25519", {"keyAgreement"}), "key_usage.agreement");
  EXPECT_EQ(with("RSA-2048", {"keyAgreement"}), "key_usage.agreement");
  EXPECT_EQ(with("P-256", {"keyCertSign"}), "key_usage.cert_sign");
}

TEST(Lint, KeyUsageHasABit) {
  for (const char* value : {"030100", "03020700",
                            "030307000"
                            "0",
                            "0400"}) {
    Tbs tbs;
    tbs.extension(oid::kKeyUsage).value = from_hex(value);
    EXPECT_EQ(findings(tbs.der()), "key_usage.empty") << value;
  }
}

TEST(Lint, ACaSaysSoCriticallyAndMaySignCertificates) {
  Tbs tbs;
  tbs.extension(oid::kKeyUsage) = key_usage({"keyCertSign"});
  tbs.extensions.push_back(basic_constraints_ca(0));
  EXPECT_EQ(findings(tbs.der()), "");
  tbs.extensions.back().critical = false;
  EXPECT_EQ(findings(tbs.der()), "basic_constraints.critical");
  tbs.extensions.back().critical = true;
  tbs.extension(oid::kKeyUsage) = key_usage({"digitalSignature"});
  EXPECT_EQ(findings(tbs.der()), "key_usage.cert_sign");
  tbs.drop(oid::kKeyUsage);
  EXPECT_EQ(findings(tbs.der()), "key_usage.missing key_usage.cert_sign");
}

TEST(Lint, ConstraintsOfAnEndEntityAreEmpty) {
  Tbs tbs;
  tbs.extensions.push_back({std::string(oid::kBasicConstraints), true, {0x30, 0x00}});
  EXPECT_EQ(findings(tbs.der()), "");
  tbs.extensions.back().value = from_hex("3003020100");
  EXPECT_EQ(findings(tbs.der()), "basic_constraints.end_entity");
}

TEST(Lint, PurposesAreNotEmpty_CVE_2026_40097) {
  Tbs tbs;
  tbs.extension(oid::kExtendedKeyUsage).value = {0x30, 0x00};
  EXPECT_EQ(findings(tbs.der()), "eku.empty");
}

TEST(Lint, RefusesExtensionsTwiceUniqueIdentifiersAndRubbish) {
  Tbs tbs;
  tbs.extensions.push_back(tbs.extensions.front());
  EXPECT_EQ(findings(tbs.der()), "structure");
  EXPECT_EQ(findings({}), "structure");
  EXPECT_EQ(findings({0x30, 0x00}), "structure");
  const Tbs plain;
  const Bytes identifier = der::tlv(0x81, Bytes{0x00, 0x01});
  const Bytes unique =
      der::sequence({plain.version, plain.serial, plain.algorithm, plain.issuer_name,
                     der::sequence({plain.not_before, plain.not_after}), plain.subject,
                     plain.key.spki(), identifier});
  EXPECT_NE(findings(unique).find("unique_identifier"), std::string::npos);
  const Bytes whole = Tbs().der();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(findings(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))),
              "structure");
  }
}

}  // namespace
}  // namespace estia::crypto
