// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "crypto/base/error.h"
#include "server/provision/configuration_parts.h"
#include "server/provision/configuration_section.h"

namespace estia::provision {

// What the readers of several tables share.

/// The key `name`: 1 to 64 of A-Z a-z 0-9 . _ -, and no step in a path.
[[nodiscard]] std::string read_name(const ConfigurationSection& section);

/// Names that nobody bounded must be meant: refuses `key` in RA mode without a scope. `which` ends
/// the sentence "say which names ...".
void require_scope(const ConfigurationSection& section, const ca::Alias& alias,
                   std::string_view key, std::string_view which);

/// Calls `check` and turns what it throws into a refusal of this key.
template <class Check>
auto checked(const ConfigurationSection& section, std::string_view key, Check&& check) {
  try {
    return check();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::config && error.code() != ErrorCode::malformed) {
      throw;
    }
    section.refuse("config.value", key, error.what());
  }
}

/// The value whose text this is.
template <class Value, std::size_t N>
Value one_of(const ConfigurationSection& section, std::string_view key, const std::string& text,
             const std::array<Value, N>& values) {
  std::string known;
  for (const Value value : values) {
    if (text == to_string(value)) {
      return value;
    }
    known += (known.empty() ? "" : ", ") + std::string(to_string(value));
  }
  section.refuse("config.value", key, "'" + text + "' must be one of " + known);
}

template <class Value, std::size_t N>
Value read_choice(const ConfigurationSection& section, std::string_view key,
                  const std::array<Value, N>& values, Value fallback) {
  const auto text = section.optional_text(key);
  return text ? one_of(section, key, *text, values) : fallback;
}

}  // namespace estia::provision
