// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace estia::layout {

/// One text file of the tree, with its path relative to the source root ('/' as separator).
struct SourceFile {
  std::string path;
  std::vector<std::string> lines;
};

/// One #include line. `quoted` tells "..." from <...>.
struct Include {
  std::size_t line = 0;
  bool quoted = false;
  std::string target;
};

/// Every regular file below `root`, sorted by path, without build products, the demo and hidden
/// tool directories other than `.ci`. Throws std::runtime_error if a file cannot be read.
[[nodiscard]] std::vector<SourceFile> read_tree(const std::filesystem::path& root);

/// The files of the product: crypto, hsm, server and admin; C and C++ only.
[[nodiscard]] std::vector<SourceFile> product_sources(const std::vector<SourceFile>& tree);

[[nodiscard]] bool is_cpp(std::string_view path);

/// C++, CMake, shell, Java and Python: what the rule about length holds for.
[[nodiscard]] bool is_code(std::string_view path);

[[nodiscard]] std::vector<Include> includes_of(const SourceFile& file);

/// The module a file belongs to: "hsm", "crypto/x509", or "server" for server/main.cpp.
[[nodiscard]] std::string module_of(std::string_view path);

/// `path:line`, as compilers print it.
[[nodiscard]] std::string place(const SourceFile& file, std::size_t line);

}  // namespace estia::layout
