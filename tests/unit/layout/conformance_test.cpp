// SPDX-License-Identifier: Apache-2.0
// docs/conformance.md against the code: every rule that is cited is there.
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "tests/support/paths.h"
#include "tests/unit/layout/source_tree.h"

namespace estia::layout {
namespace {

using Ids = std::set<std::string>;

/// "EST-3.5-c, -e, X509-lint" is EST-3.5-c, EST-3.5-e and X509-lint.
Ids expanded(const std::string& cell) {
  Ids ids;
  std::string base;
  std::istringstream parts(cell);
  for (std::string part; std::getline(parts, part, ',');) {
    part.erase(0, part.find_first_not_of(' '));
    part.erase(part.find_last_not_of(' ') + 1);
    if (part.starts_with('-')) {
      ids.insert(base + part);
    } else {
      ids.insert(part);
      const bool lettered = part.size() > 2 && part[part.size() - 2] == '-';
      base = lettered ? part.substr(0, part.size() - 2) : part;
    }
  }
  return ids;
}

Ids listed(const std::vector<SourceFile>& tree) {
  static const std::regex row(R"(^\| ((?:EST|HTTP|TLS|TLSX|X509|CMC|P11|CLAR|CHAL)-[^|]+) \|.*)");
  Ids ids;
  for (const SourceFile& file : tree) {
    std::smatch match;
    for (const std::string& line : file.lines) {
      if (file.path == "docs/conformance.md" && std::regex_match(line, match, row)) {
        ids.merge(expanded(match[1]));
      }
    }
  }
  return ids;
}

/// Ids as comments write them, after lists like "TLSX-9266-c, -d" are taken at their first.
Ids cited(const SourceFile& file) {
  static const std::regex id(
      R"(\b((?:EST|HTTP|TLS|TLSX|X509|CMC|P11|CLAR|CHAL)-[0-9][0-9.]*-[a-z])\b)");
  Ids ids;
  for (const std::string& line : file.lines) {
    for (auto at = std::sregex_iterator(line.begin(), line.end(), id); at != std::sregex_iterator();
         ++at) {
      ids.insert((*at)[1]);
    }
  }
  return ids;
}

TEST(Conformance, EveryCitedRuleIsListed) {
  const auto tree = read_tree(test::source_directory());
  const Ids known = listed(tree);
  ASSERT_GT(known.size(), 60U);
  for (const SourceFile& file : tree) {
    if (!is_cpp(file.path)) {
      continue;
    }
    for (const std::string& id : cited(file)) {
      EXPECT_TRUE(known.contains(id)) << file.path << " cites " << id;
    }
  }
}

TEST(Conformance, UnderstandsListsOfRules) {
  EXPECT_EQ(expanded("EST-3.5-c, -e, TLSX-9266-d"), (Ids{"EST-3.5-c", "EST-3.5-e", "TLSX-9266-d"}));
  EXPECT_EQ(expanded("X509-4.1.2.4, -b"), (Ids{"X509-4.1.2.4", "X509-4.1.2.4-b"}));
  EXPECT_EQ(cited({"a.cpp", {"// (EST-6-c, -d) X509-4.2-a"}}), (Ids{"EST-6-c", "X509-4.2-a"}));
}

}  // namespace
}  // namespace estia::layout
