// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/error.h"
#include "server/provision/configuration_section.h"

namespace estia::provision {

// What the readers of several tables share.

/// The key `name`: 1 to 64 of A-Z a-z 0-9 . _ -, and no step in a path.
[[nodiscard]] std::string read_name(const ConfigurationSection& section);

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

}  // namespace estia::provision
