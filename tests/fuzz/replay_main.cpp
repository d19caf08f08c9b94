// SPDX-License-Identifier: Apache-2.0
// Replays a corpus folder as a plain test, and each of its files in variants made with a fixed
// seed: the same inputs on every machine. Usage: NAME_fuzz FOLDER
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "crypto/base/file.h"
#include "tests/fuzz/target.h"

namespace {

constexpr int kVariants = 500;

using Generator =
    std::mt19937;  // results are fixed by the standard, unlike those of the distributions

std::string mutated(std::string input, Generator& next) {
  const auto changes = 1 + next() % 4;
  for (unsigned long i = 0; i < changes; ++i) {
    const std::size_t at = input.empty() ? 0 : next() % input.size();
    switch (next() % 5) {
      case 0:
        input.resize(at);
        break;
      case 1:
        input.insert(at, 1, static_cast<char>(next() & 0xFFU));
        break;
      case 2:
        input.insert(at, input.substr(at, next() % 32));
        break;
      case 3:
        input.erase(at, 1 + next() % 4);
        break;
      default:
        if (!input.empty()) {
          input[at] = static_cast<char>(next() & 0xFFU);
        }
    }
  }
  return input;
}

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  if (argc == 2) {
    std::copy(std::filesystem::directory_iterator(argv[1]), std::filesystem::directory_iterator(),
              std::back_inserter(files));
  }
  std::sort(files.begin(), files.end());
  Generator next(20220901);
  for (const auto& file : files) {
    const std::string input = estia::read_file(file);
    run(input);
    for (int i = 0; i < kVariants; ++i) {
      run(mutated(input, next));
    }
  }
  std::printf("%zu files, %d variants of each\n", files.size(), kVariants);
  return files.empty() ? 1 : 0;  // an empty corpus tests nothing
}
