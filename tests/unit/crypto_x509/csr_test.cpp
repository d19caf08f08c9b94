// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/csr.h"

#include <gtest/gtest.h>

#include "crypto/base/file.h"
#include "tests/support/openssl_command.h"
#include "tests/support/paths.h"
#include "tests/support/scratch_directory.h"
#include "tests/unit/crypto_x509/csr_forge.h"

namespace estia::crypto {
namespace {

using test::openssl_command;

constexpr const char* kMalformed = "malformed csr.malformed";

Bytes rfc7030_a3() {
  return base64_decode(read_file(test::data_directory() / "est/rfc7030-a3-csr.b64"));
}

TEST(Csr, ReadsTheExampleOfRfc7030AppendixA3) {
  const Bytes der = rfc7030_a3();
  ASSERT_EQ(der.size(), 649U);
  const Csr csr = Csr::parse(der);
  EXPECT_EQ(csr.der(), der);
  EXPECT_EQ(csr.subject().text(), "CN=demostep4 1368141352");
  EXPECT_EQ(csr.challenge_password(), "+rrCir/7+EYu50T4");
  EXPECT_EQ(base64_decode(*csr.challenge_password()).size(), 12U);
  EXPECT_EQ(csr.public_key().spec()->name, "RSA-2048");
  EXPECT_TRUE(csr.requested_extensions().empty());
  EXPECT_TRUE(csr.subject_alt_names().empty());
  EXPECT_FALSE(csr.est_identity_linking());
  EXPECT_EQ(csr.attributes().size(), 1U);
}

TEST(Csr, ReadsWhatTheOpensslCommandWrites) {
  const test::ScratchDirectory scratch;
  const std::string out = (scratch.path() / "csr").string();
  const auto made = openssl_command(
      "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout /dev/null "
      "-subj '/C=FI/O=Acme/CN=dev-1' -addext subjectAltName=DNS:a.example,IP:192.0.2.1 "
      "-addext keyUsage=critical,digitalSignature -outform DER -out " +
      out);
  ASSERT_EQ(made.status, 0) << made.output;
  const std::string der = read_file(out);
  const Csr csr = Csr::parse(as_bytes(der));
  EXPECT_NO_THROW(csr.verify_signature());
  EXPECT_EQ(csr.subject().text(), "C=FI,O=Acme,CN=dev-1");
  EXPECT_EQ(csr.public_key().spec()->name, "P-384");
  EXPECT_TRUE(
      csr.subject_alt_names().matches(GeneralNames::from_texts({"ip:192.0.2.1", "dns:A.example"})));
  ASSERT_EQ(csr.requested_extensions().size(), 2U);
  EXPECT_EQ(csr.requested_extensions()[1], key_usage({"digitalSignature"}));
}

TEST(Csr, AnEmptySubjectAndNoAttributesAreLegal_CMC_3_2_1_2_1_a) {
  ForgedCsr forged;
  forged.subject = {0x30, 0x00};
  EXPECT_TRUE(Csr::parse(forged.der()).subject().empty());
  forged.attributes = {};  // old encoders
  const Csr csr = Csr::parse(forged.der());
  EXPECT_TRUE(csr.attributes().empty());
}

TEST(Csr, EveryTruncationIsMalformedAndNothingElse) {
  for (const Bytes& der :
       {rfc7030_a3(), ForgedCsr()
                          .with({extension_request({subject_alt_name(
                                     GeneralNames::from_texts({"dns:a.example"}), false)}),
                                 attribute(kChallengeOid, {text(0x0C, "x")})})
                          .der()}) {
    ASSERT_EQ(parse_refusal(der), "none");
    for (std::size_t size = 0; size < der.size(); ++size) {
      EXPECT_EQ(parse_refusal(Bytes(der.begin(), der.begin() + static_cast<std::ptrdiff_t>(size))),
                kMalformed)
          << size;
    }
  }
}

TEST(Csr, EveryChangedByteIsRefusedOrNoLongerSigned) {
  const Bytes der = ForgedCsr()
                        .with({extension_request({subject_alt_name(
                                   GeneralNames::from_texts({"dns:a.example"}), false)}),
                               attribute(kChallengeOid, {text(0x0C, "x")})})
                        .der();
  for (std::size_t i = 0; i < der.size(); ++i) {
    for (const unsigned change : {0x01U, 0x80U, 0xFFU}) {
      Bytes changed = der;
      changed[i] = static_cast<std::uint8_t>(changed[i] ^ change);
      const std::string refused = test::refusal([&] { Csr::parse(changed).verify_signature(); });
      EXPECT_TRUE(refused == kMalformed || refused == "malformed csr.signature_invalid" ||
                  refused == "malformed csr.signature_algorithm")
          << "byte " << i << " ^ " << change << ": " << refused;
    }
  }
}

TEST(Csr, RefusesTrailingBytes) {
  for (const char* tail : {"00", "0500", "3000", "0a"}) {
    Bytes der = ForgedCsr().der();
    const Bytes more = from_hex(tail);
    der.insert(der.end(), more.begin(), more.end());
    EXPECT_EQ(parse_refusal(der), kMalformed) << tail;
  }
  Bytes twice = ForgedCsr().der();
  const Bytes again = twice;
  twice.insert(twice.end(), again.begin(), again.end());
  EXPECT_EQ(parse_refusal(twice), kMalformed);
}

TEST(Csr, RefusesIndefiniteAndPaddedLengths) {
  const Bytes der = ForgedCsr().der();
  ByteView rest = der;
  const ByteView content = der::read(rest).value;
  Bytes indefinite{0x30, 0x80};
  indefinite.insert(indefinite.end(), content.begin(), content.end());
  indefinite.insert(indefinite.end(), {0x00, 0x00});
  EXPECT_EQ(parse_refusal(indefinite), kMalformed);
  ASSERT_LT(content.size(), 0x10000U);
  Bytes padded{0x30, 0x83, 0x00, static_cast<std::uint8_t>(content.size() >> 8U),
               static_cast<std::uint8_t>(content.size())};
  padded.insert(padded.end(), content.begin(), content.end());
  EXPECT_EQ(parse_refusal(padded), kMalformed);
}

TEST(Csr, RefusesOtherVersions) {
  for (const char* version : {"020101", "020102", "0201ff", "02020000", "0200", "0101ff", "3000"}) {
    ForgedCsr forged;
    forged.version = from_hex(version);
    EXPECT_EQ(parse_refusal(forged.der()), kMalformed) << version;
  }
}

TEST(Csr, RefusesMoreThan64KiB_EST_6_d) {
  const auto sized = [](std::size_t size) {
    return ForgedCsr().with({attribute("1.2.3.4", {der::octet_string(Bytes(size))})}).der();
  };
  EXPECT_EQ(parse_refusal(sized(60000)), "none");
  EXPECT_EQ(parse_refusal(sized(65536)), kMalformed);
  EXPECT_EQ(parse_refusal(sized(1U << 20U)), kMalformed);
}

TEST(Csr, RefusesDeepNestingAndLongObjectIdentifiers_CVE_2023_2650) {
  Bytes deep;
  for (int i = 0; i < 1000; ++i) {
    deep = der::tlv(0x30, deep);
  }
  EXPECT_EQ(parse_refusal(ForgedCsr().with({attribute("1.2.3.4", {deep})}).der()), kMalformed);
  const Bytes long_oid = der::tlv(0x06, Bytes(65, 0x81));
  EXPECT_EQ(parse_refusal(ForgedCsr().with({attribute("1.2.3.4", {long_oid})}).der()), kMalformed);
}

TEST(Csr, RefusesASubjectWithAnAttributeTypeTooLargeToName) {
  Bytes arc(30, 0x81);
  arc.front() = 0x2A;
  arc.back() = 0x01;
  ForgedCsr forged;
  forged.subject =
      der::sequence({der::tlv(0x31, der::sequence({der::tlv(0x06, arc), text(0x0C, "x")}))});
  EXPECT_EQ(parse_refusal(forged.der()), kMalformed);
}

TEST(Csr, RefusesNulAndControlCharactersInTheCommonName) {
  for (const std::string_view value :
       {std::string_view("a\0b", 3), std::string_view("\0", 1), std::string_view("a\nb"),
        std::string_view("a\x7F"), std::string_view("a\xC2\x85"), std::string_view("\xFF")}) {
    ForgedCsr forged;
    forged.subject =
        der::sequence({der::tlv(0x31, der::sequence({der::oid("2.5.4.3"), text(0x0C, value)}))});
    EXPECT_EQ(parse_refusal(forged.der()), kMalformed) << to_hex(as_bytes(value));
  }
}

TEST(Csr, RefusesBrokenPublicKeys) {
  for (const char* spki : {"3000", "0500", "30023000", "300706052b81040022"}) {
    ForgedCsr forged;
    forged.spki = from_hex(spki);
    EXPECT_EQ(parse_refusal(forged.der()), kMalformed) << spki;
  }
}

TEST(Csr, RefusesOtherStructures) {
  for (const char* hex : {"", "3000", "30023000", "0500", "020100", "3006300030000300",
                          "30063000300003010", "310030003000"}) {
    const std::string even = std::string(hex).size() % 2 == 0 ? hex : std::string(hex) + "0";
    EXPECT_EQ(parse_refusal(from_hex(even)), kMalformed) << hex;
  }
  ForgedCsr fifth;
  fifth.attributes = joined({Bytes{0xA0, 0x00}, Bytes{0xA1, 0x00}});
  EXPECT_EQ(parse_refusal(fifth.der()), kMalformed);
  ForgedCsr other_tag;
  other_tag.attributes = {0xA1, 0x00};
  EXPECT_EQ(parse_refusal(other_tag.der()), kMalformed);
}

TEST(Csr, ACertificateIsNoRequest) {
  const auto made = openssl_command(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x");
  const std::size_t begin = made.output.find("-----BEGIN CERTIFICATE-----");
  ASSERT_NE(begin, std::string::npos) << made.output;
  const std::size_t end = made.output.find("-----END", begin);
  EXPECT_EQ(parse_refusal(base64_decode(made.output.substr(begin + 27, end - begin - 27))),
            kMalformed);
}

}  // namespace
}  // namespace estia::crypto
