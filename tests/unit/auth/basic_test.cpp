// SPDX-License-Identifier: Apache-2.0
#include "server/auth/basic.h"

#include <gtest/gtest.h>

#include "crypto/base/bytes.h"

namespace estia::auth {
namespace {

using std::string_literals::operator""s;

std::string basic(const std::string& user_pass) {
  return "Basic " + base64_encode(as_bytes(user_pass));
}

TEST(Basic, SplitsAtTheFirstColon) {
  const auto credentials = parse_basic(basic("estuser:pw:with:colons"));
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->user, "estuser");
  EXPECT_EQ(credentials->password.text(), "pw:with:colons");
}

TEST(Basic, TheSchemeIsComparedWithoutCase) {
  for (const char* scheme : {"Basic", "basic", "BASIC", "bAsIc"}) {
    EXPECT_TRUE(parse_basic(scheme + " "s + base64_encode(as_bytes("u:p")))) << scheme;
  }
  EXPECT_TRUE(parse_basic("Basic   " + base64_encode(as_bytes("u:p"))));  // 1*SP (RFC 9110 11.4)
}

TEST(Basic, TheUserNameAndThePasswordMayBeEmpty_EST_3_2_3_e) {
  const auto credentials = parse_basic("Basic OnB3");
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->user, "");
  EXPECT_EQ(credentials->password.text(), "pw");
  const auto no_password = parse_basic(basic("user:"));
  ASSERT_TRUE(no_password);
  EXPECT_TRUE(no_password->password.empty());
}

TEST(Basic, Utf8Stands) {
  const auto credentials = parse_basic(basic("te\xC3\xADst:\xE2\x82\xAC"));
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->user, "te\xC3\xADst");
}

TEST(Basic, RefusesControlCharacters_EST_3_2_3_h) {
  // The last one is what a known client's broken encoder sends.
  for (const std::string& text : {"us\ner:pw"s, "user:p\rw"s, "user:p\tw"s, "user:\x7F"s,
                                  "user:pw\0"s, "estuser:estpwd\0-"s}) {
    EXPECT_FALSE(parse_basic(basic(text))) << to_hex(as_bytes(text));
  }
}

TEST(Basic, RefusesWhatIsNotStrictlyBasic) {
  const std::string token = base64_encode(as_bytes("user:pw1"));
  for (const std::string& field :
       {""s, "Basic"s, "Basic "s, "Bearer " + token, "Digest username=\"u\""s, "Basic" + token,
        " Basic " + token, "Basic " + token + " ", "Basic " + token + "\r\n",
        "Basic " + token.substr(0, 4) + " " + token.substr(4), "Basic\t" + token,
        "Basic dXNlcjpw=="s, "Basic dXNlcjpwdw"s, "Basic dXNlcjpwd-=="s, "Basic dXNlcg=="s,
        "Basic ===="s, "Basic " + std::string(8192, 'A')}) {
    EXPECT_FALSE(parse_basic(field)) << field.substr(0, 60);
  }
}

}  // namespace
}  // namespace estia::auth
