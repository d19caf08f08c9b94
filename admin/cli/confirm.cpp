// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/confirm.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "crypto/base/error.h"

namespace estia::admin {

void ask(const std::string& question) {
  std::cout << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "y" && answer != "yes") {
    throw Error(ErrorCode::conflict, "cli.declined", "nothing was changed");
  }
}

void confirm(const std::string& question, bool yes) {
  if (yes) {
    return;
  }
  if (::isatty(STDIN_FILENO) == 0) {
    throw CLI::ValidationError("--yes", "is needed where nobody can be asked");
  }
  ask(question);
}

}  // namespace estia::admin
