// SPDX-License-Identifier: Apache-2.0
// docs/configuration.md describes every key of the run-time configuration, and no other.
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "crypto/base/file.h"
#include "server/provision/configuration_keys.h"
#include "tests/support/paths.h"

namespace estia::provision {
namespace {

/// "section.key" with whether the manual says that it is needed.
using Keys = std::set<std::pair<std::string, bool>>;

Keys documented_keys() {
  static const std::regex heading(R"(^### `\[\[(\w+)\]\]`$)");
  static const std::regex row(R"(^\| `(\w+)` \| ([^|]+) \| [^|]+ \| `\w+ = .+` \|$)");
  std::istringstream manual(read_file(test::source_directory() / "docs/configuration.md"));
  Keys keys;
  std::string section;
  for (std::string line; std::getline(manual, line);) {
    std::smatch match;
    if (std::regex_match(line, match, heading)) {
      section = match[1];
    } else if (!section.empty() && std::regex_match(line, match, row)) {
      keys.emplace(section + "." + match[1].str(), match[2].str() == "needed");
    } else {
      EXPECT_FALSE(!section.empty() && line.starts_with("| `")) << "not understood: " << line;
    }
  }
  return keys;
}

TEST(Manual, DescribesEveryKeyWithDefaultMeaningAndExample) {
  Keys known;
  for (const ConfigurationKey& key : configuration_keys()) {
    known.emplace(std::string(key.section) + "." + std::string(key.key), key.required);
  }
  EXPECT_EQ(documented_keys(), known);
}

}  // namespace
}  // namespace estia::provision
