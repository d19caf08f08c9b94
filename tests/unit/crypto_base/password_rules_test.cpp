// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/password_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace estia {
namespace {

bool good(std::string_view text, PasswordOrigin origin) {
  return !password_weakness(text, origin).has_value();
}

TEST(PasswordRules, WhatAPersonChose) {
  constexpr auto kChosen = PasswordOrigin::chosen;
  EXPECT_TRUE(good("abcdef abcdefg", kChosen));
  EXPECT_TRUE(good("p\xC3\xA4sswort p\xC3\xA4sswort", kChosen));
  EXPECT_TRUE(good(std::string(250, 'a') + "bcdefg", kChosen));
  EXPECT_FALSE(good("", kChosen));
  EXPECT_FALSE(good("abcdef abcdef", kChosen)) << "13 bytes";
  EXPECT_FALSE(good(std::string(251, 'a') + "bcdefg", kChosen)) << "257 bytes";
  EXPECT_FALSE(good("abcdeabcdeabcde", kChosen)) << "5 different ones";
  for (const char control : {'\t', '\n', '\0', '\x1F', '\x7F'}) {
    EXPECT_FALSE(good(std::string("abcdef abcdefg") + control, kChosen)) << int{control};
  }
}

TEST(PasswordRules, WhatWasGenerated_D16) {
  constexpr auto kGenerated = PasswordOrigin::generated;
  EXPECT_TRUE(good("abcdefghabcdefghabcdef", kGenerated));
  EXPECT_TRUE(good(std::string(248, 'a') + "!bcdefg~", kGenerated));
  EXPECT_FALSE(good("abcdefghabcdefghabcde", kGenerated)) << "21 characters";
  EXPECT_FALSE(good(std::string(249, 'a') + "!bcdefg~", kGenerated)) << "257 characters";
  EXPECT_FALSE(good("abcdefgabcdefgabcdefgabc", kGenerated)) << "7 different ones";
  for (const char bad : {' ', '\x7F', '\xC3', '\n'}) {
    EXPECT_FALSE(good(std::string("abcdefghabcdefghabcdef") + bad, kGenerated)) << int{bad};
  }
}

}  // namespace
}  // namespace estia
