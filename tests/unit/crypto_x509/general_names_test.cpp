// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/general_names.h"

#include <gtest/gtest.h>

#include "crypto/base/der.h"
#include "crypto/x509/name.h"
#include "tests/support/refusal.h"

namespace estia::crypto {
namespace {

using test::refusal;
using Kind = GeneralName::Kind;

constexpr const char* kMalformed = "malformed san.malformed";

std::string read(const Bytes& der) {
  return refusal([&] { static_cast<void>(GeneralNames::from_der(der)); });
}

std::string one(std::uint8_t tag, std::string_view value) {
  return read(der::sequence({der::tlv(tag, as_bytes(value))}));
}

bool match(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return GeneralNames::from_texts(a).matches(GeneralNames::from_texts(b));
}

TEST(GeneralNames, TextsComeBack) {
  const GeneralNames names = GeneralNames::from_texts(
      {"dns:a.example", "ip:192.0.2.1", "ip:2001:db8::1", "email:a@b.example", "uri:urn:dev:1"});
  const GeneralNames again = GeneralNames::from_der(names.der());
  ASSERT_EQ(again.names().size(), 5U);
  std::string text;
  for (const GeneralName& name : again.names()) {
    text += std::string(to_string(name.kind)) + ":" + name.text + " ";
  }
  EXPECT_EQ(text, "dns:a.example ip:192.0.2.1 ip:2001:db8::1 email:a@b.example uri:urn:dev:1 ");
}

TEST(GeneralNames, ReadsTheRarerKinds) {
  const Bytes directory = der::tlv(0xA4, Name::from_text("CN=x").der());
  const Bytes other =
      der::tlv(0xA0, der::sequence({der::oid("1.3.6.1.5.5.7.8.4"), der::tlv(0xA0, der::null())}));
  ByteView unwrapped = other;
  ByteView inner = der::read(unwrapped).value;
  const Bytes implicit(der::tlv(0xA0, der::read(inner).value));
  const GeneralNames names = GeneralNames::from_der(
      der::sequence({directory, implicit, der::tlv(0x88, from_hex("2a0304"))}));
  ASSERT_EQ(names.names().size(), 3U);
  EXPECT_EQ(names.names()[0].text, "CN=x");
  EXPECT_EQ(names.names()[1].text, "1.3.6.1.5.5.7.8.4:a0020500");
  EXPECT_EQ(names.names()[2].text, "1.2.3.4");
}

TEST(GeneralNames, RefusesDnsNamesThatAreNone_X509_4_2_1_6_a) {
  for (const std::string_view name : {std::string_view(""),
                                      std::string_view(" "),
                                      std::string_view("."),
                                      std::string_view("a."),
                                      std::string_view(".a"),
                                      std::string_view("a..b"),
                                      std::string_view("-a.b"),
                                      std::string_view("a-.b"),
                                      std::string_view("a_b.c"),
                                      std::string_view("*"),
                                      std::string_view("*."),
                                      std::string_view("**.a"),
                                      std::string_view("a.*.b"),
                                      std::string_view("w*.a"),
                                      std::string_view("*.*.a"),
                                      std::string_view("a b"),
                                      std::string_view("a.example\n"),
                                      std::string_view("\xC3\xA4.example"),
                                      std::string_view("good.example\0.evil", 18),
                                      std::string_view("a.example\0", 10),
                                      std::string_view("http://a"),
                                      std::string_view("a@b"),
                                      std::string_view("a,b")}) {
    EXPECT_EQ(one(0x82, name), kMalformed) << name;
  }
  EXPECT_EQ(one(0x82, std::string(64, 'a')), kMalformed);
  EXPECT_EQ(one(0x82, std::string(63, 'a')), "none");
  std::string longest;
  while (longest.size() < 252) {
    longest += "a.";
  }
  EXPECT_EQ(one(0x82, longest + "a"), "none");
  EXPECT_EQ(one(0x82, longest + "aa"), kMalformed) << "254 octets";
  EXPECT_EQ(one(0x82, "*.example"), "none");
  EXPECT_EQ(one(0x82, "xn--nxasmq6b"), "none");
}

TEST(GeneralNames, AddressesHave4Or16Octets_X509_4_2_1_6_a) {
  for (const std::size_t size : {0U, 1U, 3U, 5U, 8U, 15U, 17U, 32U}) {
    EXPECT_EQ(one(0x87, std::string(size, '\x01')), kMalformed) << size;
  }
  EXPECT_EQ(one(0x87, std::string(4, '\0')), "none");
  EXPECT_EQ(one(0x87, std::string(16, '\0')), "none");
}

TEST(GeneralNames, MailboxesAreBare_X509_4_2_1_6_a) {
  for (const std::string_view mail :
       {std::string_view(""), std::string_view("a"), std::string_view("@b"), std::string_view("a@"),
        std::string_view("a@b@c"), std::string_view("A <a@b>"), std::string_view("a b@c"),
        std::string_view("a@-b"), std::string_view("a@*.b"), std::string_view("\xC3\xA4@b"),
        std::string_view("a\0@b", 4), std::string_view("mailto:a@b"),
        std::string_view("a@b,c@d")}) {
    EXPECT_EQ(one(0x81, mail), kMalformed) << mail;
  }
}

TEST(GeneralNames, UrisAreAbsolute_X509_4_2_1_6_a) {
  for (const std::string_view uri :
       {std::string_view(""), std::string_view("a"), std::string_view("/a"), std::string_view(":a"),
        std::string_view("a:"), std::string_view("1a:b"), std::string_view("http://"),
        std::string_view("a b:c"), std::string_view("http://a\n"),
        std::string_view("http://\xC3\xA4"), std::string_view("http://a\0", 9)}) {
    EXPECT_EQ(one(0x86, uri), kMalformed) << uri;
  }
}

TEST(GeneralNames, RefusesOtherKindsAndEmptyOnes) {
  EXPECT_EQ(one(0xA3, "x"), kMalformed);  // x400Address
  EXPECT_EQ(one(0xA5, ""), kMalformed);   // ediPartyName
  EXPECT_EQ(one(0x89, "x"), kMalformed);
  EXPECT_EQ(one(0x0C, "a.example"), kMalformed);
  EXPECT_EQ(one(0xA2, "a.example"), kMalformed) << "constructed dNSName";
  EXPECT_EQ(one(0xA4, std::string_view("\x30\x00", 2)), kMalformed) << "empty directoryName";
  EXPECT_EQ(one(0xA4, ""), kMalformed);
  EXPECT_EQ(one(0xA0, ""), kMalformed);
  EXPECT_EQ(one(0xA0, "\x06\x01\x2A"), kMalformed) << "otherName without a value";
  EXPECT_EQ(one(0x88, ""), kMalformed);
  EXPECT_EQ(one(0x88, "\x80"), kMalformed);
}

TEST(GeneralNames, RefusesBrokenStructures) {
  const Bytes good = GeneralNames::from_texts({"dns:a.example", "ip:192.0.2.1"}).der();
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(read(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
              kMalformed);
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(read(longer), kMalformed);
  EXPECT_EQ(read(from_hex("3000")), kMalformed);
  EXPECT_EQ(read(from_hex("3080820161"
                          "0000")),
            kMalformed);
  Bytes deep = der::null();
  for (int i = 0; i < 100; ++i) {
    deep = der::tlv(0x30, deep);
  }
  EXPECT_EQ(read(der::sequence({der::tlv(0xA4, deep)})), kMalformed);
}

TEST(GeneralNames, AtMostAHundred) {
  std::vector<std::string> texts(100, "dns:a.example");
  EXPECT_EQ(GeneralNames::from_texts(texts).names().size(), 100U);
  texts.emplace_back("dns:a.example");
  EXPECT_EQ(refusal([&] { static_cast<void>(GeneralNames::from_texts(texts)); }),
            "config san.text");
}

TEST(GeneralNames, RefusesTextsThatAreNoName) {
  for (const char* text :
       {"", "a.example", "dns", "dns:", "DNS:a", "ip:", "ip:1.2.3", "ip:1.2.3.4.5", "ip:1.2.3.4/8",
        "ip:::g", "email:a", "uri:a", "other:x", "dns:a_b"}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(GeneralNames::from_texts({text})); }),
              "config san.text")
        << text;
  }
  EXPECT_EQ(refusal([] { static_cast<void>(GeneralNames::from_texts({})); }), "config san.text");
}

TEST(GeneralNames, MatchesRegardlessOfOrderAndHostCase_EST_4_2_2_b) {
  EXPECT_TRUE(match({"dns:a.example", "ip:192.0.2.1"}, {"ip:192.0.2.1", "dns:A.EXAMPLE"}));
  EXPECT_TRUE(match({"email:a@B.example"}, {"email:a@b.example"}));
  const auto directory = [](const char* name) {
    return GeneralNames::from_der(der::sequence({der::tlv(0xA4, Name::from_text(name).der())}));
  };
  EXPECT_TRUE(directory("CN=A  b").matches(directory("CN=a B")));
  EXPECT_TRUE(GeneralNames().matches(GeneralNames()));
}

TEST(GeneralNames, DoesNotMatchOthers_EST_4_2_2_b) {
  EXPECT_FALSE(match({"dns:a.example"}, {"dns:a.example", "dns:b.example"}));
  EXPECT_FALSE(match({"dns:a.example", "dns:a.example"}, {"dns:a.example", "dns:b.example"}));
  EXPECT_FALSE(match({"dns:a.example"}, {"uri:dns:a.example"}));
  EXPECT_FALSE(match({"email:A@b.example"}, {"email:a@b.example"}));
  EXPECT_FALSE(match({"uri:http://a/X"}, {"uri:http://a/x"}));
  EXPECT_FALSE(match({"dns:*.example"}, {"dns:a.example"})) << "a wildcard is only text here";
  EXPECT_FALSE(GeneralNames::from_texts({"dns:a"}).matches(GeneralNames()));
}

}  // namespace
}  // namespace estia::crypto
