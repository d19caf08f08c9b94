// SPDX-License-Identifier: Apache-2.0
#include "server/est/media_type.h"

#include <algorithm>

namespace estia::est {
namespace {

bool is_token_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

/// The next element of a list, or parameter of an element: up to `end` outside of quotes
/// (RFC 9110 5.6.4), which is taken away, too.
std::string_view next_part(std::string_view& rest, char end) {
  bool quoted = false;
  std::size_t size = 0;
  for (; size < rest.size() && (quoted || rest[size] != end); ++size) {
    if (quoted && rest[size] == '\\' && size + 1 < rest.size()) {
      ++size;
    } else if (rest[size] == '"') {
      quoted = !quoted;
    }
  }
  const std::string_view part = rest.substr(0, size);
  rest.remove_prefix(std::min(size + 1, rest.size()));
  return part;
}

/// "0", "0.", "0.000" (RFC 9110 12.4.2).
bool is_zero_weight(std::string_view weight) {
  return weight == "0" || (weight.starts_with("0.") && weight.size() <= 5 &&
                           weight.find_first_not_of('0', 2) == std::string_view::npos);
}

bool is_refused(std::string_view element) {
  static_cast<void>(next_part(element, ';'));
  while (!element.empty()) {
    const std::string parameter = in_lower_case(trimmed(next_part(element, ';')));
    if (parameter.starts_with("q=")) {
      return is_zero_weight(std::string_view(parameter).substr(2));
    }
  }
  return false;
}

}  // namespace

std::optional<std::string> media_type(std::string_view content_type) {
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  const std::size_t slash = type.find('/');
  if (slash == std::string_view::npos || !is_token(type.substr(0, slash)) ||
      !is_token(type.substr(slash + 1))) {
    return std::nullopt;
  }
  return in_lower_case(type);
}

bool names_media_type(std::string_view accept, std::string_view type) {
  while (!accept.empty()) {
    const std::string_view element = next_part(accept, ',');
    if (media_type(element) == type && !is_refused(element)) {
      return true;
    }
  }
  return false;
}

}  // namespace estia::est
