// SPDX-License-Identifier: Apache-2.0
#include "tests/support/paths.h"

namespace estia::test {

std::filesystem::path source_directory() {
  return ESTIA_SOURCE_DIR;
}

std::filesystem::path binary_directory() {
  return ESTIA_BIN_DIR;
}

std::filesystem::path data_directory() {
  return source_directory() / "tests" / "data";
}

}  // namespace estia::test
