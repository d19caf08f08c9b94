// SPDX-License-Identifier: Apache-2.0
#include "server/ca/visible_text.h"

#include <gtest/gtest.h>

namespace estia::ca {
namespace {

std::string found(std::string_view text) {
  return invisible_character(text).value_or("none");
}

TEST(VisibleText, NamesOfAnyScriptAreVisible) {
  for (const char* name : {"", "device-7", "Gerät Größe 7", "株式会社", "Ελλάδα", "مثال", "דוגמה",
                           "नमस्त", "\uFFFD", "\U0001F512"}) {
    EXPECT_EQ(found(name), "none") << name;
  }
}

TEST(VisibleText, NamesTheFirstCharacterThatIsNot) {
  EXPECT_EQ(found("a\u200Bb"), "U+200B");
  EXPECT_EQ(found("\u202Egnp.exe"), "U+202E");
  EXPECT_EQ(found("a\u2066b\u2069"), "U+2066");
  EXPECT_EQ(found("a\u2069"), "U+2069");
  EXPECT_EQ(found("\uFEFFa"), "U+FEFF");
  EXPECT_EQ(found("a\u2028"), "U+2028");
  EXPECT_EQ(found("a\u2029"), "U+2029");
  EXPECT_EQ(found("pass\u00ADword"), "U+00AD");
  // Blanks that look like the space and compare otherwise.
  for (const char* blank : {"\u00A0", "\u1680", "\u2003", "\u202F", "\u205F", "\u2800", "\u3000"}) {
    EXPECT_NE(found(std::string("a") + blank), "none");
  }
  EXPECT_EQ(found("a\u3164"), "U+3164");
  EXPECT_EQ(found("a\uFE0F"), "U+FE0F");
  EXPECT_EQ(found("\uE000"), "U+E000");
  EXPECT_EQ(found("\uF8FF"), "U+F8FF");
  EXPECT_EQ(found("\uFDD0"), "U+FDD0");
  EXPECT_EQ(found("\U0001FFFE"), "U+1FFFE");
  EXPECT_EQ(found("\U000E0041"), "U+E0041");
  EXPECT_EQ(found("\U0010FFFD"), "U+10FFFD");
  EXPECT_EQ(found("a\nb"), "U+000A");
  EXPECT_EQ(found("a\u0085"), "U+0085");
  EXPECT_EQ(found(std::string_view("a\0b", 3)), "U+0000");
}

TEST(VisibleText, TheNeighboursOfEachRangeAreVisible) {
  for (const char* name :
       {"\u00AC", "\u00AE", "\u05FF", "\u0606", "\u1FFF", "\u2010", "\u2027", "\u2030", "\u205E",
        "\u2070", "\u2FFF", "\u3001", "\uD7FF", "\uF900", "\uFDF0", "\uFEFC", "\uFFFC"}) {
    EXPECT_EQ(found(name), "none") << found(name);
  }
}

TEST(VisibleText, WhatIsNoUtf8IsNotVisible) {
  for (const std::string_view text :
       {"\x80", "\xC0\xAF", "\xC1\x81", "\xE0\x80\xAF", "\xC3", "\xE2\x80", "\xF0\x80\x80\x80",
        "\xF5\x80\x80\x80", "\xFF", "a\xC3z"}) {
    EXPECT_EQ(found(text), "no UTF-8");
  }
  EXPECT_EQ(found("\xED\xA0\x80"), "U+D800");        // a surrogate
  EXPECT_EQ(found("\xF4\x90\x80\x80"), "U+110000");  // beyond Unicode
}

}  // namespace
}  // namespace estia::ca
