// SPDX-License-Identifier: Apache-2.0
// Rules about the tree as a whole. Words that must not occur are put together here, so that this
// file does not contain them.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>

#include "tests/support/paths.h"
#include "tests/unit/layout/edges.h"
#include "tests/unit/layout/source_tree.h"

namespace estia::layout {
namespace {

constexpr std::size_t kLineLimit = 400;

const std::vector<SourceFile>& tree() {
  static const std::vector<SourceFile> files = read_tree(test::source_directory());
  return files;
}

std::string joined(std::initializer_list<std::string_view> parts, std::string_view between) {
  std::string text;
  for (const std::string_view part : parts) {
    text += (text.empty() ? "" : std::string(between)) + std::string(part);
  }
  return text;
}

/// `path:line: word` for each line of `file` that contains one of `words`.
std::vector<std::string> occurrences(const SourceFile& file,
                                     const std::vector<std::string>& words) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    for (const std::string& word : words) {
      if (file.lines[i].find(word) != std::string::npos) {
        found.push_back(place(file, i + 1) + ": " + word);
      }
    }
  }
  return found;
}

/// What would tie the tree to one machine, mirror or way of working.
std::vector<std::string> foreign_words() {
  return {joined({"debian", "org/debian"}, "."),
          joined({"deb", "debian", "org"}, "."),
          joined({"security", "debian", "org"}, "."),
          joined({"ftp", "debian", "org"}, "."),
          joined({"pypi", "org"}, "."),
          joined({"registry", "npmjs"}, "."),
          joined({"crates", "io"}, "."),
          joined({"proxy", "golang", "org"}, "."),
          joined({"repo1", "maven", "org"}, "."),
          joined({"rubygems", "org"}, "."),
          joined({"docker", "io"}, "."),
          joined({"", "work", "shared"}, "/"),
          joined({"..", "shared"}, "/"),
          joined({"", "tmp", "team"}, "/"),
          joined({"steer", "ing"}, "")};
}

std::vector<std::string> test_only_words() {
  return {joined({"ESTIA", "TEST"}, "_"), joined({"Fake", "Clock"}, "")};
}

/// The namespace of a module's files; deeper ones are allowed.
std::string expected_namespace(const std::string& module) {
  if (module == "hsm") {
    return "estia::hsm";
  }
  if (module == "crypto/base") {
    return "estia";
  }
  const std::size_t slash = module.find('/');
  const std::string top = module.substr(0, slash);
  return "estia::" +
         (top == "server" && slash != std::string::npos ? module.substr(slash + 1) : top);
}

bool is_inside(const std::string& name, const std::string& expected) {
  return name == expected || name.starts_with(expected + "::");
}

/// Every named namespace below estia that a file opens must be its module's: a forward declaration
/// in another's namespace would be an edge that no #include shows.
std::vector<std::string> namespace_violations(const SourceFile& file) {
  static const std::regex pattern(R"(^\s*(?:inline\s+)?namespace\s+(estia[\w:]*)\s*\{)");
  const std::string expected = expected_namespace(module_of(file.path));
  std::vector<std::string> violations;
  bool opened = false;
  bool has_code = false;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    std::smatch match;
    if (std::regex_search(line, match, pattern)) {
      opened = true;
      if (!is_inside(match[1], expected)) {
        violations.push_back(place(file, i + 1) + ": " + match[1].str() + " in place of " +
                             expected);
      }
    }
    const std::size_t start = line.find_first_not_of(" \t");
    has_code = has_code || (start != std::string::npos && line[start] != '#' && line[start] != '/');
  }
  if (!opened && has_code && !file.path.ends_with("main.cpp")) {
    violations.push_back(place(file, 1) + ": nothing of it is in " + expected);
  }
  return violations;
}

TEST(Tree, IsRead) {
  EXPECT_GT(tree().size(), 20U);
  EXPECT_TRUE(std::ranges::any_of(tree(), [](const auto& f) { return f.path == ".ci/run"; }));
  EXPECT_TRUE(std::ranges::none_of(tree(), [](const auto& f) {
    return f.path.starts_with("build/") || f.path.starts_with(".git/");
  }));
}

TEST(Tree, NoFileIsTooLong) {
  for (const SourceFile& file : tree()) {
    if (is_code(file.path)) {
      EXPECT_LE(file.lines.size(), kLineLimit) << file.path;
    }
  }
}

TEST(Tree, CodeNamesItsLicence) {
  const std::string tag = joined({"SPDX-License-Identifier:", "Apache-2.0"}, " ");
  for (const SourceFile& file : tree()) {
    if (!is_code(file.path)) {
      continue;
    }
    const std::size_t head = std::min<std::size_t>(file.lines.size(), 2);
    const bool named =
        std::any_of(file.lines.begin(), file.lines.begin() + static_cast<std::ptrdiff_t>(head),
                    [&](const std::string& line) { return line.find(tag) != std::string::npos; });
    EXPECT_TRUE(named) << file.path;
  }
}

TEST(Tree, HeadersAreGuardedAndNothingIsLeftUndone) {
  const std::vector<std::string> words = {joined({"TO", "DO"}, ""), joined({"FIX", "ME"}, ""),
                                          joined({"using", "namespace "}, " ")};
  for (const SourceFile& file : tree()) {
    if (!is_cpp(file.path)) {
      continue;
    }
    for (const std::string& found : occurrences(file, words)) {
      ADD_FAILURE() << found;
    }
    EXPECT_TRUE(!file.path.ends_with(".h") || std::ranges::count(file.lines, "#pragma once") == 1)
        << file.path;
  }
}

TEST(Tree, NamesNoRegistryAndNoForeignPlace) {
  for (const SourceFile& file : tree()) {
    for (const std::string& found : occurrences(file, foreign_words())) {
      ADD_FAILURE() << found;
    }
  }
}

TEST(Tree, ReportsAPlantedWord) {
  const SourceFile planted{"docs/x.md", {"fine", "see " + joined({"..", "shared"}, "/") + "/x"}};
  EXPECT_EQ(occurrences(planted, foreign_words()).size(), 1U);
}

TEST(Tree, TestSeamsStayOutOfTheProduct) {
  for (const SourceFile& file : product_sources(tree())) {
    for (const std::string& found : occurrences(file, test_only_words())) {
      ADD_FAILURE() << found;
    }
  }
}

TEST(Tree, NamespacesMatchFolders) {
  for (const SourceFile& file : product_sources(tree())) {
    for (const std::string& violation : namespace_violations(file)) {
      ADD_FAILURE() << violation;
    }
  }
}

TEST(Tree, ReportsAPlantedNamespace) {
  const auto count = [](std::string path, std::vector<std::string> lines) {
    return namespace_violations({std::move(path), std::move(lines)}).size();
  };
  EXPECT_EQ(count("server/ca/a.h", {"namespace estia::ca {"}), 0U);
  EXPECT_EQ(count("server/ca/a.h", {"namespace estia::ca::detail {"}), 0U);
  EXPECT_EQ(count("server/ca/a.h", {"namespace estia::ca {", "namespace estia::hsm {"}), 1U);
  EXPECT_EQ(count("server/ca/a.h", {"namespace estia::cap {"}), 1U);
  EXPECT_EQ(count("crypto/x509/a.h", {"namespace estia::crypto {"}), 0U);
  EXPECT_EQ(count("crypto/x509/a.h", {"namespace estia::x509 {"}), 1U);
  EXPECT_EQ(count("admin/token/a.h", {"namespace estia::admin {"}), 0U);
  EXPECT_EQ(count("hsm/a.cpp", {"int loose = 0;"}), 1U);
  EXPECT_EQ(count("hsm/a.h", {"// only macros", "#define X 1"}), 0U);
}

TEST(Tree, EveryFolderWithSourcesIsATarget) {
  std::set<std::string> folders;
  for (const SourceFile& file : product_sources(tree())) {
    folders.insert(module_of(file.path));
  }
  for (const std::string& folder : folders) {
    const auto found = std::ranges::find(tree(), folder + "/CMakeLists.txt", &SourceFile::path);
    if (found == tree().end()) {
      ADD_FAILURE() << folder << " has no CMakeLists.txt";
      continue;
    }
    EXPECT_FALSE(occurrences(*found, {"estia_module(", "estia_program(", "add_library("}).empty())
        << folder;
    EXPECT_TRUE(is_known_module(folder)) << folder;
  }
}

}  // namespace
}  // namespace estia::layout
