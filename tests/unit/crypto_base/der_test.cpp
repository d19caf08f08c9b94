// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/der.h"

#include <gtest/gtest.h>

#include "tests/support/refusal.h"

namespace estia {
namespace {

using test::refusal;

constexpr const char* kRefused = "malformed der.malformed";

std::string checked(const std::string& hex) {
  const Bytes der = from_hex(hex);
  return refusal([&] { der::check_structure(der); });
}

Bytes nested(unsigned sequences) {
  Bytes der;
  for (unsigned i = 0; i < sequences; ++i) {
    der = der::tlv(0x30, der);
  }
  return der;
}

TEST(DerWriter, WritesTheShortestForms) {
  EXPECT_EQ(to_hex(der::null()), "0500");
  EXPECT_EQ(to_hex(der::boolean(true)), "0101ff");
  EXPECT_EQ(to_hex(der::boolean(false)), "010100");
  EXPECT_EQ(to_hex(der::small_integer(0)), "020100");
  EXPECT_EQ(to_hex(der::small_integer(127)), "02017f");
  EXPECT_EQ(to_hex(der::small_integer(128)), "02020080");
  EXPECT_EQ(to_hex(der::small_integer(0xFFFFFFFF)), "020500ffffffff");
  EXPECT_EQ(to_hex(der::integer(from_hex("000000"))), "020100");
  EXPECT_EQ(to_hex(der::integer({})), "020100");
  EXPECT_EQ(to_hex(der::integer(from_hex("0000ff"))), "020200ff");
  EXPECT_EQ(to_hex(der::octet_string(from_hex("00"))), "040100");
  EXPECT_EQ(to_hex(der::bit_string(from_hex("80"))), "03020080");
  EXPECT_EQ(to_hex(der::sequence({der::null(), der::boolean(true)})), "300505000101ff");
}

TEST(DerWriter, LengthsCrossTheirBoundaries) {
  for (const auto& [size, header] : {std::pair{127UL, "047f"},
                                     {128UL, "048180"},
                                     {255UL, "0481ff"},
                                     {256UL, "04820100"},
                                     {65535UL, "0482ffff"},
                                     {65536UL, "0483010000"}}) {
    const Bytes der = der::octet_string(Bytes(size));
    const std::size_t header_size = der.size() - size;
    EXPECT_EQ(to_hex(ByteView(der).first(header_size)), header);
    EXPECT_NO_THROW(der::check_structure(der));
  }
}

TEST(DerWriter, ObjectIdentifiersAgreeWithTheStandards) {
  EXPECT_EQ(to_hex(der::oid("1.2.840.113549.1.9.7")), "06092a864886f70d010907");
  EXPECT_EQ(to_hex(der::oid("2.999.1")), "0603883701");
  EXPECT_EQ(to_hex(der::oid("2.5.29.17")), "0603551d11");
  EXPECT_EQ(to_hex(der::oid("0.0")), "060100");
  EXPECT_EQ(to_hex(der::oid("1.39")), "06014f");
}

TEST(DerWriter, RefusesTextThatIsNoObjectIdentifier) {
  for (const char* text :
       {"", "1", "1.", ".1", "1..2", "3.1", "1.40", "0.40", "1.2.03", "1.2.-3", "1.2.a", "1.2 .3",
        " 1.2", "1.2.99999999999999999999", "2.18446744073709551615", "CN", "1,2"}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(der::oid(text)); }), "config oid.invalid") << text;
  }
}

TEST(DerWriter, SetOfIsSorted) {
  EXPECT_EQ(der::set_of({from_hex("0202000a"), from_hex("020101"), from_hex("0101ff")}),
            from_hex("310a0101ff0201010202000a"));
  EXPECT_EQ(to_hex(der::set_of({})), "3100");
}

TEST(DerReader, ReadsOneElementAndAdvances) {
  const Bytes input = from_hex("0201050500");
  ByteView rest = input;
  const der::Element first = der::read(rest);
  EXPECT_EQ(first.tag, 0x02);
  EXPECT_EQ(to_hex(first.value), "05");
  EXPECT_EQ(to_hex(first.whole), "020105");
  EXPECT_EQ(der::read(rest).tag, 0x05);
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(refusal([&] { static_cast<void>(der::read(rest)); }), kRefused);
}

TEST(DerReader, RefusesBrokenEncodings) {
  for (const char* hex : {
           "",                  // nothing
           "30",                // no length
           "3081",              // length of the length only
           "3001",              // truncated
           "308201",            // truncated length
           "30800000",          // indefinite
           "308000",            // indefinite, unfinished
           "30810500",          // not minimal, and truncated
           "04810100",          // not minimal
           "0482000100",        // leading zero in the length
           "3085000000000100",  // five octets of length
           "30ffffff",          // reserved length
           "3084ffffffff",      // four gigabytes
           "3f0100",            // multi-octet tag
           "1f8101010101",      // multi-octet tag
           "0000",              // end-of-contents
           "30020000",          // end-of-contents inside
           "05000500",          // two elements
           "3000ff",            // trailing byte
           "30030201",          // inner truncated
           "300402020101ff",    // trailing behind inner
           "3003020201",        // inner longer than outer
           "2c050c03616263",    // constructed UTF8String
           "2404040200ff",      // constructed OCTET STRING
           "3006230403020001",  // constructed BIT STRING inside
           "1000",              // primitive SEQUENCE
           "30021100",          // primitive SET inside
           "30043002048005",    // indefinite inside
           "a0023080",          // indefinite inside a context tag
       }) {
    EXPECT_EQ(checked(hex), kRefused) << hex;
  }
}

TEST(DerReader, DepthIsBounded) {
  EXPECT_NO_THROW(der::check_structure(nested(32)));
  EXPECT_EQ(refusal([] { der::check_structure(nested(34)); }), kRefused);
  EXPECT_EQ(refusal([] { der::check_structure(nested(5000)); }), kRefused);
  EXPECT_EQ(refusal([] { der::check_structure(nested(4), 2); }), kRefused);
}

TEST(DerReader, ObjectIdentifiersAreBounded_CVE_2023_2650) {
  EXPECT_NO_THROW(der::check_structure(der::tlv(0x06, Bytes(64, 0x01))));
  EXPECT_EQ(refusal([] { der::check_structure(der::tlv(0x06, Bytes(65, 0x01))); }), kRefused);
  EXPECT_EQ(refusal([] { der::check_structure(der::sequence({der::tlv(0x06, Bytes(65, 0x01))})); }),
            kRefused);
  EXPECT_EQ(refusal([] { der::check_structure(der::oid("1.2.840.113549"), 32, 3); }), kRefused);
}

}  // namespace
}  // namespace estia
