// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/bytes.h"

#include <gtest/gtest.h>

#include "tests/support/refusal.h"

namespace estia {
namespace {

using test::refusal;

TEST(Hex, WritesLowerAndReadsBothCases) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0x0F, 0xAB, 0xFF}), "000fabff");
  EXPECT_EQ(from_hex("000FaBff"), (Bytes{0x00, 0x0F, 0xAB, 0xFF}));
  EXPECT_EQ(to_hex({}), "");
  EXPECT_TRUE(from_hex("").empty());
}

TEST(Hex, RefusesOddLengthAndOtherCharacters) {
  for (const char* text : {"0", "abc", "0g", "g0", "0x", " 00", "00 ", "0:0", "-1", "\xC3\xA9"}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(from_hex(text)); }), "malformed hex.invalid") << text;
  }
  EXPECT_EQ(refusal([] { static_cast<void>(from_hex(std::string_view("0\0", 2))); }),
            "malformed hex.invalid");
}

TEST(Base64, AgreesWithTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {
      {"f", "Zg=="},        {"fo", "Zm8="},        {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64_encode(as_bytes(plain)), encoded);
    EXPECT_EQ(as_text(base64_decode(encoded)), plain);
  }
  EXPECT_EQ(base64_encode({}), "");
}

TEST(Base64, WrapsEachLineAndEndsIt) {
  EXPECT_EQ(base64_encode(as_bytes("foobar"), 4), "Zm9v\nYmFy\n");
  EXPECT_EQ(base64_encode(as_bytes("fooba"), 6), "Zm9vYm\nE=\n");
  EXPECT_EQ(base64_encode({}, 64), "");
}

TEST(Base64, SkipsLineEndsSpacesAndTabsAnywhere_CLAR_3_1_a) {
  for (const char* text :
       {"Zm9v\r\nYmE=\r\n", "\n\nZm9vYmE=", "Z m 9\tv Y\nm E =", "Zm9vYm\nE\n="}) {
    EXPECT_EQ(as_text(base64_decode(text)), "fooba") << text;
  }
}

TEST(Base64, RefusesWhatIsNotStrict_CLAR_3_d) {
  for (const char* text : {"",
                           " \r\n",
                           "=",
                           "====",
                           "Z",
                           "Zg",
                           "Zg=",
                           "Zg===",
                           "Zm9v=",
                           "Zm8",
                           "Zm9vY",
                           "Z=g=",
                           "Zg==Zg==",
                           "=Zg=",
                           "Zm-v",
                           "Zm_v",
                           "Zm9v.",
                           "Zm9v\v",
                           "Zm9v\f",
                           "Zm9v!",
                           "Zm\xC3\xA9v",
                           "-----BEGIN X-----",
                           "Zm9vZg=\n="
                           "Zm9v"}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(base64_decode(text)); }), "malformed base64.invalid")
        << text;
  }
  EXPECT_EQ(refusal([] { static_cast<void>(base64_decode(std::string_view("Zm\0v", 4))); }),
            "malformed base64.invalid");
}

TEST(Base64, RefusesNonZeroTrailingBits_CLAR_3_d) {
  for (const char* text : {"Zh==", "Zv==", "Zm9=", "Zm8=Zh==", "AB==", "AAB="}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(base64_decode(text)); }), "malformed base64.invalid")
        << text;
  }
}

TEST(Base64, EveryLengthComesBack) {
  Bytes bytes;
  for (unsigned i = 0; i < 300; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i * 7));
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(base64_decode(base64_encode(bytes, 76)), bytes);
  }
}

TEST(EqualConstantTime, ComparesContentsAndLengths) {
  EXPECT_TRUE(equal_constant_time({}, {}));
  EXPECT_TRUE(equal_constant_time(as_bytes("secret"), as_bytes("secret")));
  EXPECT_FALSE(equal_constant_time(as_bytes("secret"), as_bytes("secreT")));
  EXPECT_FALSE(equal_constant_time(as_bytes("Secret"), as_bytes("secret")));
  EXPECT_FALSE(equal_constant_time(as_bytes("secret"), as_bytes("secret1")));
  EXPECT_FALSE(equal_constant_time(as_bytes("secret"), {}));
}

}  // namespace
}  // namespace estia
