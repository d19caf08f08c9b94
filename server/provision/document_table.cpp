// SPDX-License-Identifier: Apache-2.0
#include "server/provision/document_table.h"

#include <toml++/toml.h>

#include <algorithm>

#include "crypto/base/error.h"

namespace estia::provision {
namespace {

unsigned line_of(const toml::node& node) {
  return node.source().begin.line;
}

DocumentTable table_from(const toml::table& table);

DocumentValue value_from(const toml::node& node) {
  DocumentValue result{{}, line_of(node)};
  if (const auto* text = node.as_string()) {
    result.value = text->get();
  } else if (const auto* number = node.as_integer()) {
    result.value = number->get();
  } else if (const auto* flag = node.as_boolean()) {
    result.value = flag->get();
  } else if (const auto* array = node.as_array()) {
    DocumentArray elements;
    for (const toml::node& element : *array) {
      elements.push_back(value_from(element));
    }
    result.value = std::move(elements);
  } else if (const auto* table = node.as_table()) {
    result.value = table_from(*table);
  }
  return result;
}

DocumentTable table_from(const toml::table& table) {
  DocumentTable result;
  for (const auto& [key, node] : table) {
    result.emplace(std::string(key.str()), value_from(node));
  }
  return result;
}

bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == '\x7F';
}

}  // namespace

DocumentTable parse_toml(std::string_view text, const std::string& source) {
  try {
    return table_from(toml::parse(text));
  } catch (const toml::parse_error& error) {
    throw Error(ErrorCode::config, "config.syntax",
                source + ":" + std::to_string(error.source().begin.line) + ": " +
                    std::string(error.description()));
  }
}

std::string toml_string(std::string_view text) {
  // A literal string has no escapes: it may hold neither its own delimiter nor control characters.
  if (text.ends_with('\n') && text.find("'''") == std::string_view::npos &&
      std::ranges::none_of(text, [](char c) { return is_control(c) && c != '\n'; })) {
    return "'''\n" + std::string(text) + "'''";
  }
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string quoted = "\"";
  for (const char c : text) {
    if (is_control(c)) {
      const auto code = static_cast<unsigned char>(c);
      quoted += {'\\', 'u', '0', '0', kDigits[code >> 4U], kDigits[code & 0x0FU]};
    } else {
      if (c == '"' || c == '\\') {
        quoted += '\\';
      }
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace estia::provision
