// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace estia::hsm::faults {

/// The words of a line. Blanks between double quotes belong to a word, a # that begins one begins a
/// comment. Throws OrderError for a quote without its partner.
[[nodiscard]] std::vector<std::string> split_words(std::string_view line);

/// One word that split_words() reads as `word`, which must not hold double quotes or line ends.
[[nodiscard]] std::string quoted_word(std::string_view word);

}  // namespace estia::hsm::faults
