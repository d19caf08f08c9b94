// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/matrix_table.h"

#include <set>
#include <sstream>
#include <stdexcept>

#include "crypto/base/file.h"

namespace estia::e2e {
namespace {

constexpr std::size_t kLargest = 1U << 20U;

void demand(bool good, const std::string& what) {
  if (!good) {
    throw std::runtime_error(what);
  }
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line.substr(0, line.find('#')));
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    words.push_back(word);
  }
  return words;
}

Expected read_answer(const std::vector<std::string>& words) {
  demand(words.size() == 3 || words.size() == 4, "an answer is: answer WORD STATUS [ID]");
  demand(words[2].size() == 3 && words[2].find_first_not_of("0123456789") == std::string::npos,
         "no status: " + words[2]);
  const int status = std::stoi(words[2]);
  demand((status == 200) == (words.size() == 3), "a refusal has an id, 200 has none");
  return {status, words.size() == 4 ? words[3] : ""};
}

}  // namespace

MatrixTable MatrixTable::read(const std::filesystem::path& file) {
  return parse(read_file(file, kLargest));
}

MatrixTable MatrixTable::parse(const std::string& text) {
  MatrixTable table;
  std::istringstream in(text);
  std::string kind;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    try {
      table.read_line(words_of(line), kind);
    } catch (const std::runtime_error& error) {
      throw std::runtime_error("line " + std::to_string(number) + ": " + error.what());
    }
  }
  return table;
}

void MatrixTable::read_line(const std::vector<std::string>& words, std::string& kind) {
  if (words.empty()) {
    return;
  }
  if (words[0] == "answer") {
    demand(words.size() > 1 && answers_.emplace(words[1], read_answer(words)).second,
           "an answer that stands twice, or has no word");
  } else if (words[0] == "operations") {
    demand(operations_.empty() && words.size() > 1, "operations stand once");
    operations_.assign(words.begin() + 1, words.end());
    demand(std::set(operations_.begin(), operations_.end()).size() == operations_.size(),
           "an operation stands twice");
  } else if (words[0] == "alias") {
    demand(words.size() == 2, "alias KIND");
    kind = words[1];
    demand(rows_.lower_bound({kind, ""}) == rows_.end() ||
               rows_.lower_bound({kind, ""})->first.first != kind,
           "a kind of alias stands twice");
  } else {
    read_row(words, kind);
  }
}

void MatrixTable::read_row(const std::vector<std::string>& words, const std::string& kind) {
  demand(!kind.empty() && !operations_.empty(), "a row before alias or operations");
  demand(words.size() == operations_.size() + 1, "a row of " + std::to_string(words.size() - 1) +
                                                     " cells instead of " +
                                                     std::to_string(operations_.size()));
  std::vector<Expected> cells;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto found = answers_.find(words[i]);
    demand(found != answers_.end(), "no answer is called " + words[i]);
    cells.push_back(found->second);
  }
  demand(rows_.emplace(std::pair(kind, words[0]), std::move(cells)).second,
         "a row stands twice: " + words[0]);
}

}  // namespace estia::e2e
