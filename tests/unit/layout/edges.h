// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tests/unit/layout/source_tree.h"

namespace estia::layout {

/// Checks the #include lines of one product file against the table of allowed edges between
/// modules and the table of libraries that only some modules may use.
/// Returns one text per violation, each starting with `path:line`.
[[nodiscard]] std::vector<std::string> include_violations(const SourceFile& file);

/// Whether `module` is in the table at all.
[[nodiscard]] bool is_known_module(std::string_view module);

}  // namespace estia::layout
