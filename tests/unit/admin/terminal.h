// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace estia::test {

/// A program whose terminal is this object's: somebody who is asked, and types. Ends with it.
class Terminal final {
 public:
  /// "NAME=value" is added to the environment. Throws std::runtime_error.
  Terminal(const std::vector<std::string>& arguments, const std::vector<std::string>& environment);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  Terminal(Terminal&&) = delete;
  Terminal& operator=(Terminal&&) = delete;

  /// Waits until the program has shown this text since the last call, and types the answer. Throws
  /// std::runtime_error if it does not within minutes.
  void answer(const std::string& question, const std::string& keys);
  /// The exit status, or minus the signal. Everything that was shown is in shown() then.
  [[nodiscard]] int wait();
  [[nodiscard]] const std::string& shown() const noexcept { return shown_; }
  /// /proc/PID/cmdline, which every user can read.
  [[nodiscard]] std::string command_line() const;

 private:
  bool read_some(int milliseconds);

  pid_t pid_ = -1;
  int master_ = -1;
  std::string shown_;
  std::size_t answered_ = 0;
};

}  // namespace estia::test
