// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace estia::test {

// Where the tree and what was built from it lie. Functions and not macros for every test: a compiler cache
// that has seen one clone of the tree then serves another.

/// The source root.
[[nodiscard]] std::filesystem::path source_directory();
/// Where `estiad` and `estia` are.
[[nodiscard]] std::filesystem::path binary_directory();
/// tests/data
[[nodiscard]] std::filesystem::path data_directory();

}  // namespace estia::test
