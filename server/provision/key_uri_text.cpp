// SPDX-License-Identifier: Apache-2.0
#include "server/provision/key_uri_text.h"

#include <algorithm>
#include <array>
#include <set>

namespace estia::provision {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
constexpr std::array<std::string_view, 7> kAttributes{"token",  "serial", "manufacturer", "model",
                                                      "object", "id",     "type"};

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// RFC 7512 2.3, pk11-path-char: unreserved, a few others, or a percent-encoded octet.
bool is_value(std::string_view text) {
  constexpr std::string_view kAllowed = "-._~:[]@!$'()*+,=&";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) {
        return false;
      }
      i += 2;
      continue;
    }
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && kAllowed.find(c) == std::string_view::npos) {
      return false;
    }
  }
  return !text.empty();
}

}  // namespace

std::optional<std::string> key_uri_fault(std::string_view uri) {
  if (!uri.starts_with(kScheme)) {
    return "must be a PKCS#11 URI such as pkcs11:token=ca;object=issuing;type=private";
  }
  if (uri.find('?') != std::string_view::npos) {
    return "must not have a query: module and PIN are those of estia.toml";
  }
  std::set<std::string_view> seen;
  std::string_view rest = uri.substr(kScheme.size());
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view attribute = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = std::min(attribute.find('='), attribute.size());
    const std::string_view name = attribute.substr(0, equals);
    if (std::ranges::find(kAttributes, name) == kAttributes.end()) {
      // No message repeats a value: somebody may have written a PIN there.
      return "has an attribute other than token, serial, manufacturer, model, object, id and type";
    }
    if (equals == attribute.size() || !is_value(attribute.substr(equals + 1))) {
      return std::string(name) +
             " has no value, or one that is not percent-encoded as it should be";
    }
    if (!seen.insert(name).second) {
      return std::string(name) + " stands twice";
    }
    if (name == "type" && attribute.substr(equals + 1) != "private") {
      return "type must be private";
    }
  }
  if (!seen.contains("object") && !seen.contains("id")) {
    return "must name the key by object= or id=";
  }
  return std::nullopt;
}

}  // namespace estia::provision
