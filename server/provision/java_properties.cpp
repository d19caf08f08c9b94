// SPDX-License-Identifier: Apache-2.0
#include "server/provision/java_properties.h"

#include <algorithm>
#include <cstdint>
#include <set>

#include "crypto/base/error.h"

namespace estia::provision {
namespace {

constexpr std::size_t kLargest = 1U << 20U;

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\f';
}

bool is_line_end(char c) noexcept {
  return c == '\n' || c == '\r';
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto add = [&](std::uint32_t octet) { out += static_cast<char>(octet); };
  const auto follow = [&](unsigned shift) { add(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0U | (code >> 6U));
    follow(0);
  } else if (code < 0x10000) {
    add(0xE0U | (code >> 12U));
    follow(6);
    follow(0);
  } else {
    add(0xF0U | (code >> 18U));
    follow(12);
    follow(6);
    follow(0);
  }
}

/// Octets of the character that begins here; 0 when it is none (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i, unsigned least = 0x80, unsigned most = 0xBF) {
    return at(i) >= least && at(i) <= most;
  };
  const unsigned first = at(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return follows(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const bool second = follows(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return second && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool second = follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
    return second && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

std::string as_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) {
      std::string converted;
      for (const char c : text) {
        append_utf8(converted, static_cast<unsigned char>(c));
      }
      return converted;
    }
    at += length;
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  return std::string(text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text);
}

/// Cuts a text into logical lines: comments and blank lines gone, continuations joined, escapes
/// still in place.
class LogicalLines final {
 public:
  explicit LogicalLines(std::string_view text) : text_(text) {}

  /// False at the end.
  bool next(std::string& logical, unsigned& line) {
    while (at_ < text_.size()) {
      line = line_;
      logical = natural_line();
      if (logical.empty() || logical.front() == '#' || logical.front() == '!') {
        continue;
      }
      while (goes_on(logical)) {
        logical.pop_back();
        logical += natural_line();
      }
      return true;
    }
    return false;
  }

 private:
  /// Without what stands before its first visible character.
  std::string_view natural_line() {
    while (at_ < text_.size() && is_blank(text_[at_])) {
      ++at_;
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_line_end(text_[at_])) {
      ++at_;
    }
    const std::string_view line = text_.substr(begin, at_ - begin);
    at_ += text_.substr(at_).starts_with("\r\n") ? 2U : 1U;
    at_ = std::min(at_, text_.size());
    ++line_;
    return line;
  }
  /// An odd number of backslashes: the last one escapes the line's end.
  static bool goes_on(std::string_view line) {
    const std::size_t last = line.find_last_not_of('\\');
    const std::size_t backslashes = line.size() - (last == std::string_view::npos ? 0 : last + 1);
    return backslashes % 2 == 1;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  unsigned line_ = 1;
};

/// Undoes the escapes of a key or a value.
class Unescape final {
 public:
  Unescape(std::string_view text, const std::string& place) : text_(text), place_(place) {}

  std::string run() {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c != '\\') {
        out_ += c;
      } else if (at_ < text_.size()) {
        escaped(text_[at_++]);
      }
    }
    return std::move(out_);
  }

 private:
  void escaped(char c) {
    switch (c) {
      case 't':
        out_ += '\t';
        return;
      case 'n':
        out_ += '\n';
        return;
      case 'r':
        out_ += '\r';
        return;
      case 'f':
        out_ += '\f';
        return;
      case 'u':
        return append_utf8(out_, character());
      default:
        out_ += c;  // Java drops the backslash
    }
  }
  /// Behind "\u": UTF-16, so that a character above U+FFFF is two escapes.
  std::uint32_t character() {
    const std::uint32_t first = unit();
    if (first < 0xD800 || first > 0xDFFF) {
      return first;
    }
    if (first > 0xDBFF || text_.substr(at_, 2) != "\\u") {
      refuse();
    }
    at_ += 2;
    const std::uint32_t second = unit();
    if (second < 0xDC00 || second > 0xDFFF) {
      refuse();
    }
    return 0x10000U + ((first - 0xD800U) << 10U) + (second - 0xDC00U);
  }
  std::uint32_t unit() {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = at_ < text_.size() ? text_[at_++] : ' ';
      const std::size_t digit = kDigits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
      if (digit == std::string_view::npos) {
        refuse();
      }
      value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    return value;
  }
  [[noreturn]] void refuse() const {
    throw Error(ErrorCode::config, "properties.escape",
                place_ + ": \\u must be followed by four hexadecimal digits of a character");
  }

  std::string_view text_;
  const std::string& place_;
  std::size_t at_ = 0;
  std::string out_;
};

JavaProperty split(std::string_view logical, const std::string& place) {
  std::size_t end = 0;
  while (end < logical.size() && !is_blank(logical[end]) && logical[end] != '=' &&
         logical[end] != ':') {
    end += logical[end] == '\\' ? 2U : 1U;
  }
  end = std::min(end, logical.size());
  std::size_t value = end;
  const auto skip_blanks = [&] {
    while (value < logical.size() && is_blank(logical[value])) {
      ++value;
    }
  };
  skip_blanks();
  if (value < logical.size() && (logical[value] == '=' || logical[value] == ':')) {
    ++value;
    skip_blanks();
  }
  return {.key = Unescape(logical.substr(0, end), place).run(),
          .value = Unescape(logical.substr(value), place).run()};
}

}  // namespace

std::vector<JavaProperty> parse_java_properties(std::string_view text, const std::string& source) {
  if (text.size() > kLargest) {
    throw Error(ErrorCode::too_large, "properties.too_large",
                source + ": a property file has at most 1 MiB");
  }
  const std::string utf8 = as_utf8(text);
  LogicalLines lines(utf8);
  std::vector<JavaProperty> properties;
  std::set<std::string> keys;
  std::string logical;
  for (unsigned line = 0; lines.next(logical, line);) {
    const std::string place = source + ":" + std::to_string(line);
    JavaProperty property = split(logical, place);
    property.line = line;
    if (!keys.insert(property.key).second) {
      throw Error(ErrorCode::config, "properties.duplicate",
                  place + ": this key stands further up already");
    }
    properties.push_back(std::move(property));
  }
  return properties;
}

}  // namespace estia::provision
