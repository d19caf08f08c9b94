// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace estia::provision {

/// One key of the run-time configuration. docs/configuration.md describes each; a test compares.
struct ConfigurationKey {
  std::string_view section;  ///< "ca", "alias", ...
  std::string_view key;
  bool required = false;
};

/// Every key there is. The reader refuses all others.
[[nodiscard]] const std::vector<ConfigurationKey>& configuration_keys();

}  // namespace estia::provision
