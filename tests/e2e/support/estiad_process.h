// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/support/child.h"
#include "tests/e2e/support/installation.h"

namespace estia::e2e {

/// The real `estiad` on a free port of the loopback interface.
class EstiadProcess final {
 public:
  /// Returns once it accepts. Throws std::runtime_error with its output if it ends before, or is
  /// not ready in time.
  explicit EstiadProcess(const Installation& installation,
                         const std::vector<std::string>& arguments = {});

  [[nodiscard]] const std::string& port() const noexcept { return port_; }
  [[nodiscard]] std::string url(const std::string& operation) const {
    return "https://localhost:" + port_ + "/.well-known/est/" + operation;
  }
  [[nodiscard]] Child& child() noexcept { return *child_; }
  /// SIGTERM, then the exit code (minus the signal, if one ended it).
  [[nodiscard]] int stop();
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  /// HOST:PORT of its listener.ops, as its log tells.
  [[nodiscard]] std::string ops_address() const;
  [[nodiscard]] const std::filesystem::path& err_file() const noexcept { return err_; }

 private:
  void wait_until_ready(const std::filesystem::path& ready);

  std::filesystem::path out_;
  std::filesystem::path err_;
  std::unique_ptr<Child> child_;
  std::string port_;
};

/// Runs `estiad` where it is expected to end by itself.
[[nodiscard]] Finished run_estiad(const Installation& installation,
                                  const std::vector<std::string>& arguments);

}  // namespace estia::e2e
