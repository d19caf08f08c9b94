// SPDX-License-Identifier: Apache-2.0
#include "server/app/toml_section.h"

#include <charconv>
#include <utility>

#include "crypto/base/error.h"

namespace estia::app {
namespace {

const toml::table kEmpty;

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr std::int64_t kMost = 1'000'000'000;
  if (error != std::errc{} || number < 0 || number > kMost) {
    return std::nullopt;
  }
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit == "ms") {
    return std::chrono::milliseconds(number);
  }
  if (unit == "s") {
    return std::chrono::seconds(number);
  }
  if (unit == "m") {
    return std::chrono::minutes(number);
  }
  return std::nullopt;
}

}  // namespace

TomlSection::TomlSection(const toml::table& table, std::filesystem::path file, std::string name)
    : table_(table), file_(std::move(file)), name_(std::move(name)) {}

std::vector<std::string> TomlSection::keys() const {
  std::vector<std::string> names;
  for (const auto& [key, node] : table_) {
    names.emplace_back(key.str());
  }
  return names;
}

TomlSection TomlSection::section(std::string_view key) {
  const toml::node* node = take(key);
  const std::string name = name_.empty() ? std::string(key) : name_ + "." + std::string(key);
  if (node == nullptr) {
    return {kEmpty, file_, name};
  }
  if (!node->is_table()) {
    fail("config.type", key, node, "must be a table");
  }
  return {*node->as_table(), file_, name};
}

std::string TomlSection::required_text(std::string_view key) {
  std::optional<std::string> value = text(key);
  if (!value || value->empty()) {
    fail("config.missing", key, table_.get(key), "is needed");
  }
  return std::move(*value);
}

std::optional<std::string> TomlSection::text(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (!node->is_string()) {
    fail("config.type", key, node, "must be a string");
  }
  return node->as_string()->get();
}

std::optional<std::int64_t> TomlSection::integer(std::string_view key, std::int64_t least,
                                                 std::int64_t most) {
  const toml::node* node = take(key);
  return node == nullptr ? std::nullopt : std::optional(integer_of(key, *node, least, most));
}

std::int64_t TomlSection::integer_of(std::string_view key, const toml::node& node,
                                     std::int64_t least, std::int64_t most) const {
  if (!node.is_integer()) {
    fail("config.type", key, &node, "must be a whole number");
  }
  const std::int64_t value = node.as_integer()->get();
  if (value < least || value > most) {
    fail("config.value", key, &node,
         "must lie between " + std::to_string(least) + " and " + std::to_string(most));
  }
  return value;
}

const toml::array* TomlSection::list(std::string_view key, const char* of) {
  const toml::node* node = take(key);
  if (node != nullptr && !node->is_array()) {
    fail("config.type", key, node, std::string("must be a list of ") + of);
  }
  return node == nullptr ? nullptr : node->as_array();
}

std::vector<std::int64_t> TomlSection::integers(std::string_view key, std::int64_t least,
                                                std::int64_t most) {
  std::vector<std::int64_t> values;
  if (const toml::array* elements = list(key, "whole numbers")) {
    for (const toml::node& element : *elements) {
      values.push_back(integer_of(key, element, least, most));
    }
  }
  return values;
}

std::vector<std::string> TomlSection::texts(std::string_view key) {
  std::vector<std::string> values;
  if (const toml::array* elements = list(key, "strings")) {
    for (const toml::node& element : *elements) {
      if (!element.is_string()) {
        fail("config.type", key, &element, "must be a string");
      }
      values.push_back(element.as_string()->get());
    }
  }
  return values;
}

std::optional<bool> TomlSection::flag(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (!node->is_boolean()) {
    fail("config.type", key, node, "must be true or false");
  }
  return node->as_boolean()->get();
}

std::optional<std::chrono::milliseconds> TomlSection::duration(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  std::optional<std::chrono::milliseconds> value;
  if (node->is_string()) {
    value = parse_duration(node->as_string()->get());
  } else if (node->is_integer()) {
    value = parse_duration(std::to_string(node->as_integer()->get()) + "s");
  }
  if (!value) {
    fail("config.value", key, node, "must be a time like \"250ms\", \"20s\", \"5m\" or 20");
  }
  return value;
}

void TomlSection::finish() const {
  for (const auto& [key, node] : table_) {
    if (!taken_.contains(std::string_view(key))) {
      fail("config.unknown_key", key, &node, "unknown key");
    }
  }
}

void TomlSection::refuse(std::string_view key, const std::string& reason) const {
  fail("config.value", key, table_.get(key), reason);
}

const toml::node* TomlSection::take(std::string_view key) {
  taken_.emplace(key);
  return table_.get(key);
}

void TomlSection::fail(const char* id, std::string_view key, const toml::node* at,
                       const std::string& reason) const {
  std::string where = file_.string();
  const toml::node& place = at != nullptr ? *at : table_;
  if (place.source().begin) {
    where += ":" + std::to_string(place.source().begin.line);
  }
  const std::string name = name_.empty() ? std::string(key) : name_ + "." + std::string(key);
  throw Error(ErrorCode::config, id, where + ": " + name + ": " + reason);
}

}  // namespace estia::app
