// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/words.h"

#include "hsm/faults/order.h"

namespace estia::hsm::faults {

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  bool in_word = false;
  bool in_quotes = false;
  for (const char c : line) {
    const bool blank = c == ' ' || c == '\t' || c == '\r';
    if (!in_quotes && blank) {
      in_word = false;
      continue;
    }
    if (!in_word && c == '#') {
      break;
    }
    if (!in_word) {
      words.emplace_back();
      in_word = true;
    }
    if (c == '"') {
      in_quotes = !in_quotes;
    } else {
      words.back() += c;
    }
  }
  if (in_quotes) {
    throw OrderError("a double quote is missing");
  }
  return words;
}

std::string quoted_word(std::string_view word) {
  const bool plain =
      !word.empty() && word.front() != '#' && word.find_first_of(" \t\r") == std::string_view::npos;
  return plain ? std::string(word) : '"' + std::string(word) + '"';
}

}  // namespace estia::hsm::faults
