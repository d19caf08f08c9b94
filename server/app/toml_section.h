// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

namespace estia::app {

/// One table of a configuration file, read key by key. What is wrong is told with file, line, key
/// and reason; keys that nobody read are refused by finish(), so that a misspelt one cannot be
/// ignored. Borrows the table and lives no longer than it.
///
/// Throws Error{config, ...}: "config.missing", "config.type", "config.value",
/// "config.unknown_key".
class TomlSection final {
 public:
  TomlSection(const toml::table& table, std::filesystem::path file, std::string name = {});

  /// Of everything in it, in order.
  [[nodiscard]] std::vector<std::string> keys() const;
  /// A sub-table; empty when absent.
  [[nodiscard]] TomlSection section(std::string_view key);
  [[nodiscard]] std::string required_text(std::string_view key);
  [[nodiscard]] std::optional<std::string> text(std::string_view key);
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key, std::int64_t least,
                                                    std::int64_t most);
  [[nodiscard]] std::optional<bool> flag(std::string_view key);
  /// Lists; empty when absent.
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view key, std::int64_t least,
                                                   std::int64_t most);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  /// "250ms", "20s", "5m", or a whole number of seconds.
  [[nodiscard]] std::optional<std::chrono::milliseconds> duration(std::string_view key);
  void finish() const;

  /// For checks that only the caller can make.
  [[noreturn]] void refuse(std::string_view key, const std::string& reason) const;

 private:
  [[nodiscard]] std::int64_t integer_of(std::string_view key, const toml::node& node,
                                        std::int64_t least, std::int64_t most) const;
  /// nullptr when absent.
  [[nodiscard]] const toml::array* list(std::string_view key, const char* of);
  [[nodiscard]] const toml::node* take(std::string_view key);
  [[noreturn]] void fail(const char* id, std::string_view key, const toml::node* at,
                         const std::string& reason) const;

  const toml::table& table_;
  std::filesystem::path file_;
  std::string name_;
  std::set<std::string, std::less<>> taken_;
};

}  // namespace estia::app
