// SPDX-License-Identifier: Apache-2.0
#include "server/ca/visible_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace estia::ca {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

/// UnicodeData.txt and DerivedCoreProperties.txt of Unicode 15, sorted.
constexpr std::array<Range, 35> kInvisible{{
    {0x0000, 0x001F},     // Cc
    {0x007F, 0x009F},     // Cc
    {0x00A0, 0x00A0},     // no-break space: looks like one that is compared otherwise
    {0x00AD, 0x00AD},     // soft hyphen
    {0x034F, 0x034F},     // combining grapheme joiner
    {0x0600, 0x0605},     // Arabic number signs
    {0x061C, 0x061C},     // Arabic letter mark
    {0x06DD, 0x06DD},     // Arabic end of ayah
    {0x070F, 0x070F},     // Syriac abbreviation mark
    {0x0890, 0x0891},     // Arabic pound and piastre marks
    {0x08E2, 0x08E2},     // Arabic disputed end of ayah
    {0x115F, 0x1160},     // Hangul fillers
    {0x1680, 0x1680},     // Ogham space
    {0x17B4, 0x17B5},     // Khmer inherent vowels
    {0x180B, 0x180F},     // Mongolian selectors and vowel separator
    {0x2000, 0x200F},     // spaces, zero width ones too, joiners, direction marks
    {0x2028, 0x202F},     // Zl, Zp, direction embeddings and overrides, narrow space
    {0x205F, 0x206F},     // mathematical space, word joiner, invisible operators, direction isolates
    {0x2800, 0x2800},     // Braille blank
    {0x3000, 0x3000},     // ideographic space
    {0x3164, 0x3164},     // Hangul filler
    {0xD800, 0xF8FF},     // surrogates, private use
    {0xFDD0, 0xFDEF},     // noncharacters
    {0xFE00, 0xFE0F},     // variation selectors
    {0xFEFF, 0xFEFF},     // byte order mark
    {0xFFA0, 0xFFA0},     // halfwidth Hangul filler
    {0xFFF0, 0xFFFB},     // unassigned and ignorable, interlinear annotations
    {0xFFFE, 0xFFFF},     // noncharacters
    {0x110BD, 0x110BD},   // Kaithi number sign
    {0x110CD, 0x110CD},   // Kaithi number sign above
    {0x13430, 0x1343F},   // Egyptian hieroglyph format controls
    {0x1BCA0, 0x1BCA3},   // shorthand format controls
    {0x1D173, 0x1D17A},   // musical format controls
    {0xE0000, 0xE0FFF},   // tags, variation selectors
    {0xF0000, 0x1FFFFF},  // private use, and what lies beyond Unicode
}};

bool is_invisible(char32_t point) noexcept {
  const auto found =
      std::lower_bound(kInvisible.begin(), kInvisible.end(), point,
                       [](const Range& range, char32_t value) { return range.last < value; });
  const bool noncharacter = (point & 0xFFFEU) == 0xFFFEU;  // the last two of each plane
  return noncharacter || (found != kInvisible.end() && found->first <= point);
}

/// How many octets the character takes whose first octet this is; 0: none begins so.
std::size_t length_of(unsigned char first) noexcept {
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first < 0xE0) {
    return 2;
  }
  if (first >= 0xE0 && first < 0xF0) {
    return 3;
  }
  return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

/// Takes one character off the front; nullopt for what is no shortest-form UTF-8.
std::optional<char32_t> take(std::string_view& text) noexcept {
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  constexpr std::array<unsigned, 5> kFirstMask{0, 0x7F, 0x1F, 0x0F, 0x07};
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = length_of(first);
  if (length == 0 || text.size() < length) {
    return std::nullopt;
  }
  char32_t point = first & kFirstMask[length];
  for (std::size_t i = 1; i < length; ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if ((octet & 0xC0U) != 0x80U) {
      return std::nullopt;
    }
    point = (point << 6U) | (octet & 0x3FU);
  }
  text.remove_prefix(length);
  return point < kSmallest[length] ? std::nullopt : std::optional(point);
}

/// "U+202E": at least four digits, as the Unicode standard writes it.
std::string notation(char32_t point) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string digits;
  for (; point != 0 || digits.size() < 4; point >>= 4U) {
    digits.insert(digits.begin(), kDigits[point & 0xFU]);
  }
  return "U+" + digits;
}

}  // namespace

std::optional<std::string> invisible_character(std::string_view utf8) {
  while (!utf8.empty()) {
    const std::optional<char32_t> point = take(utf8);
    if (!point) {
      return "no UTF-8";
    }
    if (is_invisible(*point)) {
      return notation(*point);
    }
  }
  return std::nullopt;
}

}  // namespace estia::ca
