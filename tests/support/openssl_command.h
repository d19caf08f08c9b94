// SPDX-License-Identifier: Apache-2.0
// The openssl command as a second opinion on what our code writes and reads.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace estia::test {

struct CommandResult {
  int status = -1;
  std::string output;  ///< stdout and stderr
};

/// Runs `openssl ARGUMENTS` through the shell; only constant arguments and scratch paths belong
/// here.
[[nodiscard]] inline CommandResult openssl_command(const std::string& arguments) {
  const auto close = [](std::FILE* pipe) { ::pclose(pipe); };
  std::unique_ptr<std::FILE, decltype(close)> pipe(
      ::popen(("openssl " + arguments + " 2>&1 </dev/null").c_str(), "r"), close);
  if (!pipe) {
    throw std::runtime_error("popen failed");
  }
  CommandResult result;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) {
    result.output.append(buffer.data(), got);
  }
  const int status = ::pclose(pipe.release());
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

}  // namespace estia::test
