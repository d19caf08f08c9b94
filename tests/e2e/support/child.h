// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace estia::e2e {

/// A program run as its own process; killed by its pid when this object goes. Output goes to files,
/// which cannot block it.
class Child final {
 public:
  struct Command {
    std::vector<std::string> arguments;      ///< the program first, found by PATH
    std::vector<std::string> environment{};  ///< "NAME=value", added to ours
    std::filesystem::path out;
    std::filesystem::path err;
    std::filesystem::path in = "/dev/null";
    bool own_group = false;  ///< a process group of its own, which ends with this object
  };
  /// Throws std::runtime_error when the program cannot be started.
  explicit Child(const Command& command);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child(Child&&) = delete;
  Child& operator=(Child&&) = delete;

  void signal(int number) const;
  /// To the program and all of its descendants that stayed in its group; only with `own_group`.
  void signal_group(int number) const;
  /// The exit code, or minus the signal that ended it; nullopt if it still runs at the limit.
  [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds limit);
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int descriptor() const noexcept { return pidfd_; }  ///< readable once it has ended

 private:
  pid_t pid_ = -1;
  int pidfd_ = -1;
  bool own_group_ = false;
  std::optional<int> result_;
};

struct Finished {
  int code = 0;
  std::string out;
  std::string err;
};

/// Runs to the end, which must come within minutes. Output files go to `scratch`. Throws
/// std::runtime_error when the program cannot be started or does not end.
[[nodiscard]] Finished run(const std::vector<std::string>& arguments,
                           const std::filesystem::path& scratch,
                           const std::vector<std::string>& environment = {});

/// The same for steps of a test that must succeed: throws std::runtime_error with the output.
std::string run_ok(const std::vector<std::string>& arguments, const std::filesystem::path& scratch,
                   const std::vector<std::string>& environment = {});

}  // namespace estia::e2e
