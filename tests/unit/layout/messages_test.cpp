// SPDX-License-Identifier: Apache-2.0
// docs/messages.md against the code: every error has its line, and no line is left over.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "tests/support/paths.h"
#include "tests/unit/layout/source_tree.h"

namespace estia::layout {
namespace {

using Ids = std::set<std::string>;

std::string joined_text(const SourceFile& file) {
  std::string text;
  for (const std::string& line : file.lines) {
    // Ids in comments are talk about them.
    text += line.substr(0, line.find("//")) + "\n";
  }
  return text;
}

Ids matches(const std::string& text, const std::regex& pattern) {
  Ids ids;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), pattern);
       at != std::sregex_iterator(); ++at) {
    ids.insert((*at)[1]);
  }
  return ids;
}

/// Ids right behind an error's category: what the constructor of Error is given.
Ids thrown_in(const std::string& text) {
  static const std::regex pattern(
      R"re((?:ErrorCode::\w+,|token_unavailable\()\s*"([a-z0-9_]+\.[a-z0-9_.]+)")re");
  return matches(text, pattern);
}

/// Every literal that looks like an id: helpers take them without a category.
Ids literals_in(const std::string& text) {
  static const std::regex pattern(R"re("([a-z0-9_]+\.[a-z0-9_.]+)")re");
  return matches(text, pattern);
}

Ids documented() {
  static const std::regex row(R"re(^\| `?([a-z0-9_]+\.[a-z0-9_.]+)`? \|)re");
  Ids ids;
  for (const SourceFile& file : read_tree(test::source_directory())) {
    if (file.path != "docs/messages.md") {
      continue;
    }
    for (const std::string& line : file.lines) {
      std::smatch match;
      if (std::regex_search(line, match, row)) {
        EXPECT_TRUE(ids.insert(match[1]).second) << match[1] << " stands twice";
      }
    }
  }
  return ids;
}

TEST(Messages, EveryErrorHasItsLineAndNoLineIsLeftOver) {
  Ids thrown;
  Ids literals;
  for (const SourceFile& file : product_sources(read_tree(test::source_directory()))) {
    const std::string text = joined_text(file);
    thrown.merge(thrown_in(text));
    literals.merge(literals_in(text));
  }
  ASSERT_GT(thrown.size(), 50U);
  const Ids lines = documented();
  for (const std::string& id : thrown) {
    EXPECT_TRUE(lines.contains(id)) << id << " is thrown and has no line in docs/messages.md";
  }
  for (const std::string& id : lines) {
    EXPECT_TRUE(literals.contains(id)) << id << " is in docs/messages.md and nowhere in the code";
  }
}

TEST(Messages, ReportsAPlantedError) {
  EXPECT_EQ(thrown_in("throw Error(ErrorCode::malformed,\n      \"a.planted_one\", \"text\");"),
            Ids{"a.planted_one"});
  EXPECT_TRUE(thrown_in("throw Error(ErrorCode::malformed, id, \"some.text\");").empty());
}

}  // namespace
}  // namespace estia::layout
