// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace estia::provision {

/// What turns `before` into `after`, line by line, as a unified diff with three lines around each
/// change and without file names; empty when they are the same. Very different large texts are
/// shown as removed and added whole.
[[nodiscard]] std::string line_diff(std::string_view before, std::string_view after);

}  // namespace estia::provision
