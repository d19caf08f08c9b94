// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/support/child.h"
#include "tests/e2e/support/installation.h"

namespace estia::fault {

/// A token behind a wire: `p11-kit server` before SoftHSM, with its children (one p11-kit-remote
/// per connection, each of which outlives it) in one process group, which ends with this object.
class TokenServer final {
 public:
  /// Returns once it accepts. Throws std::runtime_error; names the package if it is not installed.
  explicit TokenServer(const e2e::Installation& installation);

  /// The module that talks to it, for estia.toml.
  [[nodiscard]] static std::filesystem::path client_module();
  /// "P11_KIT_SERVER_ADDRESS=...", the same for every server of that installation.
  [[nodiscard]] static std::string environment(const e2e::Installation& installation);

  /// Processes of the group that run, the server itself among them.
  [[nodiscard]] std::size_t processes() const;
  /// Kills the server and its children; returns once none is left.
  void kill();

 private:
  std::filesystem::path socket_;
  std::unique_ptr<e2e::Child> child_;
};

}  // namespace estia::fault
