// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/layout/source_tree.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <regex>
#include <stdexcept>

namespace estia::layout {
namespace {

constexpr std::array<std::string_view, 4> kProduct = {"crypto/", "hsm/", "server/", "admin/"};

bool is_skipped(const std::filesystem::path& folder, const std::filesystem::path& root) {
  const std::string name = folder.filename().string();
  if (folder.parent_path() == root && (name == "build" || name == "demo")) {
    return true;
  }
  return name.starts_with('.') && name != ".ci";
}

SourceFile read_file(const std::filesystem::path& path, const std::filesystem::path& root) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    throw std::runtime_error("cannot read " + path.string());
  }
  SourceFile file{path.lexically_relative(root).generic_string(), {}};
  for (std::string line; std::getline(stream, line);) {
    file.lines.push_back(line);
  }
  return file;
}

template <std::size_t N>
bool ends_with_any(std::string_view text, const std::array<std::string_view, N>& endings) {
  return std::ranges::any_of(endings, [&](auto ending) { return text.ends_with(ending); });
}

}  // namespace

std::vector<SourceFile> read_tree(const std::filesystem::path& root) {
  std::vector<SourceFile> tree;
  using Iterator = std::filesystem::recursive_directory_iterator;
  for (auto entry = Iterator(root); entry != Iterator(); ++entry) {
    if (entry->is_directory()) {
      if (is_skipped(entry->path(), root)) {
        entry.disable_recursion_pending();
      }
    } else if (entry->is_regular_file()) {
      tree.push_back(read_file(entry->path(), root));
    }
  }
  std::ranges::sort(tree, {}, &SourceFile::path);
  return tree;
}

std::vector<SourceFile> product_sources(const std::vector<SourceFile>& tree) {
  std::vector<SourceFile> sources;
  for (const SourceFile& file : tree) {
    const bool product = std::ranges::any_of(
        kProduct, [&](auto folder) { return std::string_view(file.path).starts_with(folder); });
    if (product && is_cpp(file.path)) {
      sources.push_back(file);
    }
  }
  return sources;
}

bool is_cpp(std::string_view path) {
  return ends_with_any(path, std::array<std::string_view, 8>{".h", ".cpp", ".hpp", ".cc", ".cxx",
                                                             ".c", ".inc", ".ipp"});
}

bool is_code(std::string_view path) {
  return is_cpp(path) ||
         ends_with_any(path, std::array<std::string_view, 6>{".sh", ".cmake", "CMakeLists.txt",
                                                             ".java", ".py", ".ci/run"});
}

std::vector<Include> includes_of(const SourceFile& file) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> includes;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    std::smatch match;
    if (std::regex_search(file.lines[i], match, pattern)) {
      includes.push_back({i + 1, match[1] == "\"", match[2]});
    }
  }
  return includes;
}

std::string module_of(std::string_view path) {
  const std::size_t first = path.find('/');
  if (first == std::string_view::npos) {
    return "";
  }
  const std::string_view top = path.substr(0, first);
  if (path.starts_with("hsm/faults/")) {
    return "hsm/faults";
  }
  const std::size_t second = path.find('/', first + 1);
  if (top == "hsm" || second == std::string_view::npos) {
    return std::string(top);
  }
  return std::string(path.substr(0, second));
}

std::string place(const SourceFile& file, std::size_t line) {
  return file.path + ":" + std::to_string(line);
}

}  // namespace estia::layout
