// SPDX-License-Identifier: Apache-2.0
#include "server/provision/configuration_section.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "crypto/base/error.h"
#include "server/provision/configuration_keys.h"

namespace estia::provision {
namespace {

using std::chrono::seconds;

struct Unit {
  char letter;
  std::int64_t length;
};
constexpr std::array<Unit, 4> kUnits{{{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};

std::optional<seconds> parse_duration(std::string_view text) {
  constexpr std::int64_t kMost = 1'000'000'000;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0 || number > kMost ||
      end + 1 != text.data() + text.size()) {
    return std::nullopt;
  }
  for (const Unit& unit : kUnits) {
    if (*end == unit.letter && number <= kMost * 10 / unit.length) {
      return seconds(number * unit.length);
    }
  }
  return std::nullopt;
}

}  // namespace

ConfigurationSection::ConfigurationSection(std::string kind, std::size_t position,
                                           const DocumentValue& value, const std::string& source)
    : kind_(std::move(kind)),
      path_(kind_ + "[" + std::to_string(position) + "]"),
      table_(std::get_if<DocumentTable>(&value.value)),
      line_(value.line),
      source_(source) {
  if (table_ == nullptr) {
    throw Error(ErrorCode::config, "config.type",
                source_ + ":" + std::to_string(line_) + ": " + path_ + ": must be a table, [[" +
                    kind_ + "]]");
  }
  if (const DocumentValue* name = find("name")) {
    if (const auto* text = std::get_if<std::string>(&name->value); text && !text->empty()) {
      path_ = kind_ + "[" + *text + "]";
    }
  }
  check_keys();
}

void ConfigurationSection::check_keys() const {
  const auto& keys = configuration_keys();
  for (const auto& [key, value] : *table_) {
    if (std::ranges::none_of(keys, [&, &name = key](const auto& k) {
          return k.section == kind_ && k.key == name;
        })) {
      refuse("config.unknown_key", key, "unknown key");
    }
  }
  for (const ConfigurationKey& key : keys) {
    if (key.required && key.section == kind_ && !has(key.key)) {
      refuse("config.missing", key.key, "is needed");
    }
  }
}

const DocumentValue* ConfigurationSection::find(std::string_view key) const {
  const auto found = table_->find(key);
  return found == table_->end() ? nullptr : &found->second;
}

std::string ConfigurationSection::place() const {
  return source_ + ":" + std::to_string(line_) + ": " + path_;
}

void ConfigurationSection::refuse(const char* id, std::string_view key,
                                  const std::string& reason) const {
  const DocumentValue* value = find(key);
  const unsigned line = value != nullptr && value->line != 0 ? value->line : line_;
  throw Error(
      ErrorCode::config, id,
      source_ + ":" + std::to_string(line) + ": " + path_ + "." + std::string(key) + ": " + reason);
}

std::string ConfigurationSection::text(std::string_view key) const {
  std::optional<std::string> value = optional_text(key);
  if (!value) {
    refuse("config.missing", key, "is needed");
  }
  return std::move(*value);
}

std::optional<std::string> ConfigurationSection::optional_text(std::string_view key) const {
  const DocumentValue* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  const auto* text = std::get_if<std::string>(&value->value);
  if (text == nullptr) {
    refuse("config.type", key, "must be a string");
  }
  if (text->empty()) {
    refuse("config.value", key, "must not be empty");
  }
  return *text;
}

std::vector<std::string> ConfigurationSection::texts(std::string_view key) const {
  std::vector<std::string> result;
  const DocumentValue* value = find(key);
  if (value == nullptr) {
    return result;
  }
  const auto* array = std::get_if<DocumentArray>(&value->value);
  if (array == nullptr) {
    refuse("config.type", key, "must be a list of strings");
  }
  for (const DocumentValue& element : *array) {
    const auto* text = std::get_if<std::string>(&element.value);
    if (text == nullptr || text->empty()) {
      refuse("config.type", key, "must be a list of strings, none of them empty");
    }
    if (std::ranges::find(result, *text) != result.end()) {
      refuse("config.duplicate", key, "'" + *text + "' stands twice");
    }
    result.push_back(*text);
  }
  return result;
}

std::map<std::string, std::string> ConfigurationSection::text_table(std::string_view key) const {
  std::map<std::string, std::string> result;
  const DocumentValue* value = find(key);
  if (value == nullptr) {
    return result;
  }
  const auto* table = std::get_if<DocumentTable>(&value->value);
  if (table == nullptr) {
    refuse("config.type", key, "must be a table such as { O = \"Acme\" }");
  }
  for (const auto& [name, element] : *table) {
    const auto* text = std::get_if<std::string>(&element.value);
    if (text == nullptr || text->empty()) {
      refuse("config.type", key, name + " must be a string that is not empty");
    }
    result.emplace(name, *text);
  }
  return result;
}

bool ConfigurationSection::flag(std::string_view key, bool fallback) const {
  const DocumentValue* value = find(key);
  if (value == nullptr) {
    return fallback;
  }
  const bool* flag = std::get_if<bool>(&value->value);
  if (flag == nullptr) {
    refuse("config.type", key, "must be true or false");
  }
  return *flag;
}

std::int64_t ConfigurationSection::integer(std::string_view key, std::int64_t least,
                                           std::int64_t most, std::int64_t fallback) const {
  const DocumentValue* value = find(key);
  if (value == nullptr) {
    return fallback;
  }
  const auto* number = std::get_if<std::int64_t>(&value->value);
  if (number == nullptr) {
    refuse("config.type", key, "must be a whole number");
  }
  if (*number < least || *number > most) {
    refuse("config.value", key,
           "must lie between " + std::to_string(least) + " and " + std::to_string(most));
  }
  return *number;
}

std::optional<seconds> ConfigurationSection::duration(std::string_view key) const {
  const auto text = optional_text(key);
  if (!text) {
    return std::nullopt;
  }
  const auto duration = parse_duration(*text);
  if (!duration) {
    refuse("config.value", key, "must be a time such as \"90s\", \"5m\", \"12h\" or \"365d\"");
  }
  return duration;
}

std::string print_duration(seconds duration) {
  for (const Unit& unit : kUnits) {
    if (duration.count() != 0 && duration.count() % unit.length == 0) {
      return std::to_string(duration.count() / unit.length) + unit.letter;
    }
  }
  return std::to_string(duration.count()) + "s";
}

}  // namespace estia::provision
