// SPDX-License-Identifier: Apache-2.0
#include "server/http/target.h"

#include "server/http/framing.h"
#include "server/http/text.h"

namespace estia::http {
namespace {

[[noreturn]] void refuse(const char* reason) {
  throw ProtocolError(400, "http.target", reason);
}

bool is_unreserved(char c) noexcept {
  return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/// RFC 3986 pchar, '/' and '?' without escapes.
bool is_path_char(char c) noexcept {
  return is_unreserved(c) || std::string_view("!$&'()*+,;=:@/?").find(c) != std::string_view::npos;
}

char decode_escape(std::string_view text) {
  const int high = text.size() < 3 ? -1 : hex_value(text[1]);
  const int low = text.size() < 3 ? -1 : hex_value(text[2]);
  if (high < 0 || low < 0) {
    refuse("bad percent escape in the request target");
  }
  const int value = high * 16 + low;
  if (value < 0x20 || value == 0x7f || value == '/' || value == '\\') {
    refuse("this character must not be escaped in the request target");
  }
  return static_cast<char>(value);
}

void check_characters(std::string_view target) {
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] == '%') {
      static_cast<void>(decode_escape(target.substr(i)));
      i += 2;
    } else if (!is_path_char(target[i])) {
      refuse("character not allowed in the request target");
    }
  }
}

std::string decode_segment(std::string_view raw) {
  std::string segment;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      segment += raw[i];
      continue;
    }
    const char c = decode_escape(raw.substr(i));
    segment += is_unreserved(c) ? std::string(1, c) : std::string(raw.substr(i, 3));
    i += 2;
  }
  if (segment == "." || segment == "..") {
    refuse("dot segments are not allowed in the request target");
  }
  return segment;
}

}  // namespace

TargetParts parse_target(std::string_view target) {
  if (!target.starts_with('/')) {
    refuse("the request target must be a path");
  }
  check_characters(target);
  const std::size_t question = target.find('?');
  TargetParts parts;
  parts.path = std::string(target.substr(0, question));
  if (question != std::string_view::npos) {
    parts.query = std::string(target.substr(question + 1));
  }
  const std::string_view path = parts.path;
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    parts.segments.push_back(decode_segment(path.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

}  // namespace estia::http
