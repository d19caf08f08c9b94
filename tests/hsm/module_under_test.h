// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

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

  /// Whether fail() can be asked for: a module of ours, or estia-p11-faults, stands in front.
  [[nodiscard]] virtual bool plays_faults() const { return shim_ != nullptr; }
  /// The next call of that function fails, before the real one. Throws std::runtime_error where no
  /// faults are played.
  virtual void fail(const char* function, CK_RV rv) const;

 protected:
  ModuleUnderTest() = default;
  TokenConfig config_;
  Capabilities capabilities_;
  std::unique_ptr<test::Shim> shim_;
};

}  // namespace estia::hsm
