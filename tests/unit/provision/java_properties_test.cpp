// SPDX-License-Identifier: Apache-2.0
#include "server/provision/java_properties.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "tests/support/refusal.h"

namespace estia::provision {
namespace {

/// "line:key=value|" of each.
std::string parsed(std::string_view text) {
  std::string result;
  for (const JavaProperty& property : parse_java_properties(text, "x")) {
    result += std::to_string(property.line) + ":" + property.key + "=" + property.value + "|";
  }
  return result;
}

std::string refused(std::string_view text) {
  return test::refusal([&] { static_cast<void>(parse_java_properties(text, "x")); });
}

TEST(JavaProperties, SeparatorsCommentsAndBlankLines) {
  EXPECT_EQ(parsed(""), "");
  EXPECT_EQ(parsed("# c\n  ! c = d\\\n\n \t\f\na=b"), "5:a=b|");
  EXPECT_EQ(parsed("a=b\nc:d\ne f\ng\th\ni"), "1:a=b|2:c=d|3:e=f|4:g=h|5:i=|");
  EXPECT_EQ(parsed("  a  =  b c  \r\nd : : e\rf==g"), "1:a=b c  |2:d=: e|3:f==g|");
  EXPECT_EQ(parsed("a="), "1:a=|");
  EXPECT_EQ(parsed("=b"), "1:=b|");
}

TEST(JavaProperties, Escapes) {
  EXPECT_EQ(parsed(R"(a\:b\=c\ d=e\=f\:g)"), "1:a:b=c d=e=f:g|");
  EXPECT_EQ(parsed(R"(a=\t\n\r\f\\\q\#)"), "1:a=\t\n\r\f\\q#|");
  EXPECT_EQ(parsed(R"(\u0061=\u00e9\u20AC\uD83D\ude00)"),
            "1:a=\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80|");
  EXPECT_EQ(parsed("a=b\\"), "1:a=b|") << "as Java: nothing follows";
}

TEST(JavaProperties, LinesGoOnBehindAnOddNumberOfBackslashes) {
  EXPECT_EQ(parsed("a=b\\\n   c\\\r\n\td\ne=f"), "1:a=bcd|4:e=f|");
  EXPECT_EQ(parsed("a=b\\\\\nc=d"), "1:a=b\\|2:c=d|");
  EXPECT_EQ(parsed("a=b\\\\\\\nc=d"), "1:a=b\\c=d|");
  EXPECT_EQ(parsed("a=b\\\n#c"), "1:a=b#c|") << "no comment there";
}

TEST(JavaProperties, Utf8IfItIsThatElseLatin1) {
  EXPECT_EQ(parsed("\xEF\xBB\xBF"
                   "a=\xC3\xA9\xF0\x9F\x98\x80"),
            "1:a=\xC3\xA9\xF0\x9F\x98\x80|");
  EXPECT_EQ(parsed("a=\xE9"), "1:a=\xC3\xA9|");
  // Overlong, a surrogate, above U+10FFFF, cut off: each is Latin-1 then.
  EXPECT_EQ(parsed("a=\xC0\xAF"), "1:a=\xC3\x80\xC2\xAF|");
  EXPECT_EQ(parsed("a=\xED\xA0\x80"), "1:a=\xC3\xAD\xC2\xA0\xC2\x80|");
  EXPECT_EQ(parsed("a=\xF4\x90\x80\x80"), "1:a=\xC3\xB4\xC2\x90\xC2\x80\xC2\x80|");
  EXPECT_EQ(parsed("a=\xE2\x82"), "1:a=\xC3\xA2\xC2\x82|");
}

TEST(JavaProperties, Refusals) {
  for (const char* text : {R"(a=\u12)", R"(a=\u12g4)", R"(a=\uD83D)", R"(a=\uDE00)", R"(a=\uD83Dx)",
                           R"(a=\uD83D\u0041)", R"(\u=a)"}) {
    EXPECT_EQ(refused(text), "config properties.escape") << text;
  }
  EXPECT_EQ(refused("a=1\n\\u0061 = 2"), "config properties.duplicate");
  EXPECT_EQ(refused("a=" + std::string(1U << 20U, 'b')), "too_large properties.too_large");
  EXPECT_EQ(refused("a=" + std::string((1U << 20U) - 2, 'b')), "none");
  try {
    static_cast<void>(parse_java_properties("a=1\nb=secret\\\nc\\uXXXX", "dump"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("dump:2: "), 0U) << error.what();
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace estia::provision
