// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/provision/document_table.h"

namespace estia::provision {

/// One table of the run-time configuration, read key by key. Every refusal is Error{config, ...}
/// that says file, line, key path and reason: "config.unknown_key", "config.missing",
/// "config.type", "config.value". Borrows the value; lives no longer than it.
class ConfigurationSection final {
 public:
  /// Refuses keys that are not in configuration_keys() and required ones that are absent.
  ConfigurationSection(std::string kind, std::size_t position, const DocumentValue& value,
                       const std::string& source);

  [[nodiscard]] std::string text(std::string_view key) const;  ///< not empty
  [[nodiscard]] std::optional<std::string> optional_text(std::string_view key) const;
  /// Not empty, no element twice; absent gives an empty list.
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
  [[nodiscard]] std::map<std::string, std::string> text_table(std::string_view key) const;
  [[nodiscard]] bool flag(std::string_view key, bool fallback) const;
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most,
                                     std::int64_t fallback) const;
  /// "90s", "5m", "12h", "365d".
  [[nodiscard]] std::optional<std::chrono::seconds> duration(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }

  [[nodiscard]] std::string place() const;  ///< "file.toml:12: account[1]"
  /// For what only the caller can judge.
  [[noreturn]] void refuse(const char* id, std::string_view key, const std::string& reason) const;

 private:
  [[nodiscard]] const DocumentValue* find(std::string_view key) const;
  void check_keys() const;

  std::string kind_;
  std::string path_;  // "alias[est]"
  const DocumentTable* table_ = nullptr;
  unsigned line_ = 0;
  const std::string& source_;
};

/// The shortest way to write it: "365d", not "31536000s".
[[nodiscard]] std::string print_duration(std::chrono::seconds duration);

}  // namespace estia::provision
