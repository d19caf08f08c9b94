// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/name.h"

#include <gtest/gtest.h>

#include "crypto/base/der.h"
#include "tests/support/refusal.h"

namespace estia::crypto {
namespace {

using test::refusal;

constexpr const char* kMalformed = "malformed name.malformed";

Bytes attribute(const char* oid, std::uint8_t tag, std::string_view value) {
  return der::sequence({der::oid(oid), der::tlv(tag, as_bytes(value))});
}

Bytes cn(std::uint8_t tag, std::string_view value) {
  return der::sequence({der::tlv(0x31, attribute("2.5.4.3", tag, value))});
}

std::string read(const Bytes& der) {
  return refusal([&] { static_cast<void>(Name::from_der(der)); });
}

std::string read_text(std::string_view text) {
  return refusal([&] { static_cast<void>(Name::from_text(text)); });
}

bool match(const char* a, const char* b) {
  const Name first = Name::from_text(a);
  const Name second = Name::from_text(b);
  EXPECT_EQ(first.matches(second), first.canonical() == second.canonical());
  EXPECT_EQ(first.matches(second), second.matches(first));
  return first.matches(second);
}

TEST(Name, TextComesBack) {
  for (const char* text :
       {"", "CN=x", "C=FI,O=Acme,OU=A+OU=B,CN=dev 1", "CN=a\\,b,O=c\\+d\\\\", "CN=\\ x\\ ",
        "CN=\\#x", "UID=u,DC=example,DC=com", "1.2.3.4=x", "serialNumber=12-3", "CN=\xC3\xA4"}) {
    EXPECT_EQ(Name::from_text(text).text(), text);
    EXPECT_EQ(Name::from_der(Name::from_text(text).der()).text(), text);
  }
}

TEST(Name, ReadsEscapesOfRfc4514) {
  EXPECT_EQ(Name::from_text("CN=a\\2Cb").first("CN"), "a,b");
  EXPECT_EQ(Name::from_text("CN=\\C3\\A4").first("CN"), "\xC3\xA4");
  EXPECT_EQ(Name::from_text("O=Acme , CN= x y ").text(), "O=Acme,CN=x y");
  EXPECT_EQ(Name::from_text("CN=x\\ ").first("CN"), "x ");
}

TEST(Name, RefusesTextThatIsNoName) {
  for (const char* text : {"x",
                           "=x",
                           " =x",
                           "CN",
                           "CN=",
                           "CN= ",
                           "CN=x,",
                           "CN=x+",
                           "CN=x,,O=y",
                           "nope=x",
                           "cn=x",
                           "CN=x\\",
                           "CN=\\g",
                           "CN=\\4",
                           "CN=\\4z",
                           "CN=\"a\"",
                           "CN=a;O=b",
                           "CN=<a>",
                           "CN=#0403",
                           "CN=a\nb",
                           "CN=\\00",
                           "CN=\\0A",
                           "CN=\xFF",
                           "CN=\\FF",
                           "CN=\xC2\x85",
                           "1.2.=x",
                           "C=FIN",
                           "C=F",
                           "C=12",
                           "C=F\xC3\xA4",
                           "serialNumber=a_b",
                           "serialNumber=a@b",
                           "DC=\xC3\xA4",
                           "emailAddress=\xC3\xA4@x"}) {
    EXPECT_EQ(read_text(text), "config name.text") << text;
  }
  EXPECT_EQ(read_text(std::string_view("CN=a\0b", 6)), "config name.text");
}

TEST(Name, WritesTheStringTypesOfRfc5280_X509_4_1_2_4_b) {
  const auto tag = [](const char* text) {
    const Name name = Name::from_text(text);
    ByteView rest = name.der();
    ByteView rdns = der::read(rest).value;
    ByteView set = der::read(rdns).value;
    ByteView content = der::read(set).value;
    static_cast<void>(der::read(content));
    return der::read(content).tag;
  };
  EXPECT_EQ(tag("C=FI"), 0x13);
  EXPECT_EQ(tag("serialNumber=1"), 0x13);
  EXPECT_EQ(tag("DC=example"), 0x16);
  EXPECT_EQ(tag("emailAddress=a@b.example"), 0x16);
  EXPECT_EQ(tag("CN=x"), 0x0C);
  EXPECT_EQ(tag("1.2.3.4=x"), 0x0C);
}

TEST(Name, MatchesWithoutCaseSpaceAndStringType_X509_7_1_a) {
  EXPECT_TRUE(match("CN=Device One,O=ACME", "CN=device   one,O=Acme"));
  EXPECT_TRUE(match("CN=\\  x", "CN=x\\ "));
  EXPECT_TRUE(match("CN=a+OU=b", "OU=B+CN=A")) << "an RDN is a set";
  EXPECT_TRUE(Name::from_der(cn(0x13, "abc")).matches(Name::from_der(cn(0x0C, "ABC"))));
  EXPECT_TRUE(Name::from_der(cn(0x1E, std::string_view("\0a\0b", 4)))
                  .matches(Name::from_der(cn(0x0C, "ab"))));
  EXPECT_FALSE(Name::from_der(cn(0x13, "abc")) == Name::from_der(cn(0x0C, "abc")));
  EXPECT_TRUE(Name().matches(Name::from_der(Bytes{0x30, 0x00})));
}

TEST(Name, DoesNotMatchOtherNames_X509_7_1_a) {
  EXPECT_FALSE(match("CN=a,O=b", "O=b,CN=a")) << "the order of RDNs is significant";
  EXPECT_FALSE(match("CN=a,OU=b", "CN=a+OU=b"));
  EXPECT_FALSE(match("CN=a", "O=a"));
  EXPECT_FALSE(match("CN=a", "CN=a,CN=a"));
  EXPECT_FALSE(match("CN=ab", "CN=a b"));
  EXPECT_FALSE(match("CN=a\\,O=b", "CN=a,O=b")) << "an escaped comma is no boundary";
  EXPECT_FALSE(match("CN=a", "CN=\xD0\xB0")) << "Cyrillic";
  EXPECT_FALSE(match("CN=\xC3\x84", "CN=\xC3\xA4")) << "non-ASCII letters keep their case";
  EXPECT_FALSE(match("", "CN=a"));
}

TEST(Name, KeepsTheBytesItWasGiven_X509_4_1_2_4) {
  for (const std::uint8_t tag : std::initializer_list<std::uint8_t>{0x13, 0x0C, 0x14, 0x16}) {
    const Bytes der = cn(tag, "Some CA");
    EXPECT_EQ(Name::from_der(der).der(), der);
    unsigned char* out = nullptr;
    const X509NamePtr name = Name::from_der(der).to_openssl();
    const int size = ::i2d_X509_NAME(name.get(), &out);
    ASSERT_GT(size, 0);
    const OpenSslPtr<unsigned char> owned(out);
    EXPECT_EQ(Bytes(out, out + size), der);
  }
}

TEST(Name, FirstAnswersByShortNameAndOid) {
  const Name name = Name::from_text("O=a,CN=first,CN=second,1.2.3.4=z");
  EXPECT_EQ(name.first("CN"), "first");
  EXPECT_EQ(name.first("2.5.4.3"), "first");
  EXPECT_EQ(name.first("1.2.3.4"), "z");
  EXPECT_FALSE(name.first("OU"));
  EXPECT_FALSE(name.first("cn"));
  EXPECT_FALSE(Name().first("CN"));
}

TEST(Name, RefusesNulControlAndUndecodableValues) {
  for (const std::string_view value :
       {std::string_view("good.example\0.evil", 18), std::string_view("\0", 1),
        std::string_view("a\tb"), std::string_view("a\r\nb"), std::string_view("\x1b[31m"),
        std::string_view("\x7F"), std::string_view("\xC2\x80"), std::string_view("\xC2\x9F"),
        std::string_view("\xC0\x80"), std::string_view("\xED\xA0\x80"), std::string_view("\xFF"),
        std::string_view("\xC3")}) {
    EXPECT_EQ(read(cn(0x0C, value)), kMalformed) << to_hex(as_bytes(value));
  }
  EXPECT_EQ(read(cn(0x0C, "\xC2\xA0")), "none");
  EXPECT_EQ(read(cn(0x1E, "abc")), kMalformed) << "BMPString of odd length";
  EXPECT_EQ(read(cn(0x1C, "abc")), kMalformed) << "UniversalString of odd length";
  EXPECT_EQ(read(cn(0x14, "a\x85")), kMalformed) << "C1 control in Latin-1";
}

TEST(Name, RefusesValuesThatAreNoCharacterString) {
  for (const std::uint8_t tag :
       std::initializer_list<std::uint8_t>{0x02, 0x03, 0x04, 0x01, 0x30, 0x80}) {
    EXPECT_EQ(read(cn(tag, std::string_view("\0", 1))), kMalformed) << int{tag};
  }
}

TEST(Name, RefusesBrokenStructures) {
  const Bytes good = cn(0x0C, "x");
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(read(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
              kMalformed);
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(read(longer), kMalformed);
  for (const char* hex :
       {"3100", "0500", "30023000", "300431023000", "3080310000000000", "30083106300406022a03"}) {
    EXPECT_EQ(read(from_hex(hex)), kMalformed) << hex;
  }
}

TEST(Name, BoundsTheNumberOfAttributes) {
  Bytes content;
  for (int i = 0; i < 33; ++i) {
    const Bytes rdn = der::tlv(0x31, attribute("2.5.4.11", 0x0C, "u"));
    content.insert(content.end(), rdn.begin(), rdn.end());
    EXPECT_EQ(read(der::tlv(0x30, content)), i < 32 ? "none" : kMalformed) << i;
  }
}

TEST(Name, RefusesObjectIdentifiersNobodyCanWrite) {
  Bytes huge(12, 0xFF);
  huge.back() = 0x7F;
  for (const Bytes& type :
       {huge, Bytes{}, Bytes{0x55, 0x84}, Bytes{0x55, 0x80, 0x03}, Bytes(70, 0x01)}) {
    const Bytes value = der::tlv(0x0C, as_bytes("x"));
    EXPECT_EQ(read(der::sequence({der::tlv(0x31, der::sequence({der::tlv(0x06, type), value}))})),
              kMalformed)
        << to_hex(type);
  }
}

TEST(Name, TextEscapesWhatWouldChangeItsMeaning) {
  EXPECT_EQ(Name::from_der(cn(0x0C, "a,O=Evil")).text(), "CN=a\\,O\\=Evil");
  EXPECT_EQ(Name::from_der(cn(0x0C, " x ")).text(), "CN=\\ x\\ ");
  EXPECT_EQ(Name::from_der(cn(0x0C, "#x")).text(), "CN=\\#x");
}

}  // namespace
}  // namespace estia::crypto
