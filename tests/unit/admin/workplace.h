// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/e2e/support/child.h"
#include "tests/support/scratch_directory.h"

namespace estia::test {

/// An empty SoftHSM and two PIN files in a directory of its own, and the real `estia` to work on
/// them.
class Workplace final {
 public:
  Workplace();

  [[nodiscard]] std::filesystem::path path(const std::string& name) const {
    return scratch_.path() / name;
  }
  [[nodiscard]] std::filesystem::path state() const { return path("state"); }
  [[nodiscard]] const std::string& module() const noexcept { return module_; }
  /// Makes this process's module calls use it too.
  void use() const;

  /// `estia ARGUMENTS...`
  [[nodiscard]] e2e::Finished estia(const std::vector<std::string>& arguments) const;
  /// Any program with this SoftHSM; throws std::runtime_error unless it succeeds. Its output.
  std::string tool(const std::vector<std::string>& arguments) const;

  [[nodiscard]] e2e::Finished token_init(const std::string& label,
                                         const std::vector<std::string>& more = {}) const;
  /// `estia init` of state() with the token `label`, and further options.
  [[nodiscard]] e2e::Finished init(const std::string& label,
                                   const std::vector<std::string>& more = {}) const;
  /// token_init and init; throws std::runtime_error unless both succeed.
  void make_ca(const std::vector<std::string>& more = {}) const;

  /// "WHAT|OUTCOME|OBJECT|DETAIL\n" of each order to a token in state()'s audit trail, in their
  /// order.
  [[nodiscard]] std::string audited_orders() const;

  /// How many tokens, and private keys in them, SoftHSM keeps on disk.
  [[nodiscard]] std::size_t token_count() const;
  [[nodiscard]] std::size_t object_count() const;

  static constexpr const char* kLabel = "workplace";
  static constexpr const char* kPin = "pin-canary-5093";
  static constexpr const char* kSoPin = "so-canary-2718";

 private:
  ScratchDirectory scratch_;
  std::string module_;
  std::vector<std::string> environment_;
};

}  // namespace estia::test
