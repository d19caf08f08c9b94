// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/record_text.h"

#include <algorithm>
#include <utility>

namespace estia::admin {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

std::string printable(std::string text) {
  std::ranges::replace_if(
      text,
      [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
      },
      '?');
  return text;
}

std::string value_text(const Json& value) {
  if (value.is_null()) {
    return "-";
  }
  if (value.is_string()) {
    const std::string text = printable(value.get<std::string>());
    return text.empty() ? "-" : text;
  }
  if (value.is_array()) {
    std::string text;
    for (const Json& element : value) {
      text += (text.empty() ? "" : ", ") + value_text(element);
    }
    return text.empty() ? "-" : text;
  }
  return value.dump();
}

bool holds_objects(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::all_of(value.begin(), value.end(), [](const Json& e) { return e.is_object(); });
}

void collect(const std::string& prefix, const Json& object, Lines& lines) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_object()) {
      collect(prefix + name + ".", value, lines);
    } else if (holds_objects(value)) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        collect(prefix + name + "." + std::to_string(i + 1) + ".", value[i], lines);
      }
    } else {
      lines.emplace_back(prefix + name, value_text(value));
    }
  }
}

}  // namespace

std::string record_text(const Json& object) {
  Lines lines;
  collect("", object, lines);
  std::size_t width = 0;
  for (const auto& [name, value] : lines) {
    width = std::max(width, name.size());
  }
  std::string text;
  for (const auto& [name, value] : lines) {
    text += name + std::string(width - name.size() + 2, ' ') + value + "\n";
  }
  return text;
}

std::string row_text(const Json& object, const std::vector<std::string>& members) {
  std::string text;
  for (const std::string& member : members) {
    text += (text.empty() ? "" : "\t") + value_text(object.at(member));
  }
  return text;
}

}  // namespace estia::admin
