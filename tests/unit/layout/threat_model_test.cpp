// SPDX-License-Identifier: Apache-2.0
// docs/threat-model.md against the tree: every file and every test that it names as proof is there.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "tests/support/paths.h"
#include "tests/unit/layout/source_tree.h"

namespace estia::layout {
namespace {

constexpr const char* kPage = "docs/threat-model.md";

/// What a line has between backquotes, in its order.
std::vector<std::string> quoted(const std::string& line) {
  static const std::regex pattern("`([^`]+)`");
  std::vector<std::string> found;
  for (auto at = std::sregex_iterator(line.begin(), line.end(), pattern);
       at != std::sregex_iterator(); ++at) {
    found.push_back((*at)[1]);
  }
  return found;
}

bool is_path(const std::string& text) {
  static const std::regex pattern(
      R"((?:crypto|hsm|server|admin|tests|docs)/[\w/.-]+\.(?:h|cpp|md))");
  return std::regex_match(text, pattern);
}

/// A test's name has no spaces, dots or slashes, and capitals inside: no option has that.
bool is_test(const std::string& text) {
  static const std::regex pattern(R"([A-Z][a-z]*[A-Z0-9][A-Za-z0-9_]+)");
  return std::regex_match(text, pattern);
}

bool has_test(const SourceFile& file, const std::string& name) {
  return std::ranges::any_of(file.lines, [&](const std::string& line) {
    return line.starts_with("TEST") && line.find(", " + name + ")") != std::string::npos;
  });
}

/// What of a page is nowhere in the tree. `tests` counts the tests that were looked for.
std::vector<std::string> missing(const SourceFile& page, const std::vector<SourceFile>& tree,
                                 std::size_t& tests) {
  std::vector<std::string> absent;
  for (const std::string& line : page.lines) {
    for (const std::string& text : quoted(line)) {
      if (is_path(text)) {
        if (std::ranges::find(tree, text, &SourceFile::path) == tree.end()) {
          absent.push_back(text);
        }
      } else if (is_test(text)) {
        ++tests;
        if (std::ranges::none_of(tree, [&](const auto& file) { return has_test(file, text); })) {
          absent.push_back(text);
        }
      }
    }
  }
  return absent;
}

TEST(ThreatModel, WhatItNamesAsProofIsThere) {
  const auto tree = read_tree(test::source_directory());
  const auto page = std::ranges::find(tree, kPage, &SourceFile::path);
  ASSERT_NE(page, tree.end());
  std::size_t tests = 0;
  for (const std::string& text : missing(*page, tree, tests)) {
    ADD_FAILURE() << kPage << " names " << text << ", which is not there";
  }
  EXPECT_GT(tests, 50U);
}

TEST(ThreatModel, ReportsWhatIsNotThere) {
  const std::vector<SourceFile> tree{{"tests/a_test.cpp", {"TEST(Suite, ThisIsOne_T1) {"}}};
  const SourceFile page{"x.md",
                        {"| `tests/a_test.cpp` `ThisIsOne_T1` |", "`serverkeygen.busy`",
                         "`tests/b_test.cpp` `ThisIsOne` and `ThisIsNone`"}};
  std::size_t tests = 0;
  EXPECT_EQ(missing(page, tree, tests),
            (std::vector<std::string>{"tests/b_test.cpp", "ThisIsOne", "ThisIsNone"}));
  EXPECT_EQ(tests, 3U);
}

}  // namespace
}  // namespace estia::layout
