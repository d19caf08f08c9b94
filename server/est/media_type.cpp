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

/// Whether the parameters of an element say q=0.
bool is_refused(std::string_view element) {
  for (std::size_t at = element.find(';'); at != std::string_view::npos;) {
    const std::size_t end = element.find(';', at + 1);
    const std::string parameter = in_lower_case(trimmed(element.substr(at + 1, end - at - 1)));
    if (parameter.starts_with("q=0")) {
      return parameter.find_first_not_of("0.", 2) == std::string::npos;
    }
    at = end;
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
  for (std::size_t begin = 0; begin <= accept.size();) {
    const std::size_t comma = std::min(accept.find(',', begin), accept.size());
    const std::string_view element = accept.substr(begin, comma - begin);
    if (media_type(element) == type && !is_refused(element)) {
      return true;
    }
    begin = comma + 1;
  }
  return false;
}

}  // namespace estia::est
