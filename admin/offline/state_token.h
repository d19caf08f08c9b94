// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "admin/offline/open_state.h"
#include "server/app/process_config.h"

namespace estia::admin {

/// The token of a state directory whose estiad is stopped, under the lock, as its estia.toml names
/// it. Logs in nowhere.
class StateToken final {
 public:
  /// `name`: of `tokens` in estia.toml; empty, or "main": its `token`. Throws as OpenState,
  /// Error{not_found, "token.unknown"}.
  StateToken(const std::filesystem::path& directory, const std::string& name);

  [[nodiscard]] const std::filesystem::path& module() const noexcept { return token_.module; }
  [[nodiscard]] const std::string& init_args() const noexcept { return token_.init_args; }
  [[nodiscard]] const std::string& label() const noexcept { return token_.label; }
  [[nodiscard]] const std::string& serial() const noexcept { return token_.serial; }
  [[nodiscard]] const std::filesystem::path& pin_file() const noexcept { return token_.pin_file; }
  [[nodiscard]] const std::filesystem::path& pin_marker() const noexcept {
    return token_.pin_marker;
  }

  /// Whether estia.toml names others besides.
  [[nodiscard]] bool several() const noexcept { return !config_.tokens.empty(); }

  /// What whoever runs the command has ordered: "begun" before it is tried, then its outcome. A row
  /// for each of `details`, all of them or none.
  void audit(const std::string& what, const std::string& outcome,
             const std::vector<std::string>& details);

 private:
  OpenState state_;
  std::string name_;
  app::ProcessConfig config_;
  app::ProcessConfig::Token token_;
};

}  // namespace estia::admin
