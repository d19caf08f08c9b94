// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hsm/token.h"
#include "tests/hsm/capabilities.h"
#include "tests/support/shim.h"

namespace estia::hsm {

/// A module with a token that the suite may fill and empty.
class ModuleUnderTest {
 public:
  virtual ~ModuleUnderTest() = default;
  ModuleUnderTest(const ModuleUnderTest&) = delete;
  ModuleUnderTest& operator=(const ModuleUnderTest&) = delete;
  ModuleUnderTest(ModuleUnderTest&&) = delete;
  ModuleUnderTest& operator=(ModuleUnderTest&&) = delete;

  /// The names that the suite is instantiated with: "vendor" alone if the environment names a
  /// module (ESTIA_HSM_MODULE, ...), else "softhsm" and "softokn".
  [[nodiscard]] static std::vector<std::string> names();
  /// Makes the token where it is ours. One for each process.
  [[nodiscard]] static std::unique_ptr<ModuleUnderTest> make(const std::string& name);

  /// What that module is said to do; of "vendor" by ESTIA_HSM_CAPABILITIES.
  [[nodiscard]] static Capabilities capabilities_of(const std::string& name);

  [[nodiscard]] const TokenConfig& config() const noexcept { return config_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept { return capabilities_; }
  /// Counts calls and plays faults; null in front of somebody else's module.
  [[nodiscard]] const test::Shim* shim() const noexcept { return shim_.get(); }

 protected:
  ModuleUnderTest() = default;
  TokenConfig config_;
  Capabilities capabilities_;
  std::unique_ptr<test::Shim> shim_;
};

}  // namespace estia::hsm
