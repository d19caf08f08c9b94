// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "admin/offline/open_state.h"

namespace estia::admin {

/// The token of a state directory whose estiad is stopped, under the lock, as its estia.toml names
/// it. Logs in nowhere.
class StateToken final {
 public:
  /// Throws as OpenState.
  explicit StateToken(const std::filesystem::path& directory);

  [[nodiscard]] const std::filesystem::path& module() const noexcept { return module_; }
  [[nodiscard]] const std::string& init_args() const noexcept { return init_args_; }
  [[nodiscard]] const std::string& label() const noexcept { return label_; }
  [[nodiscard]] const std::string& serial() const noexcept { return serial_; }
  [[nodiscard]] const std::filesystem::path& pin_file() const noexcept { return pin_file_; }
  [[nodiscard]] const std::filesystem::path& pin_marker() const noexcept { return pin_marker_; }

  /// What whoever runs the command has ordered, before it is tried.
  void audit(const std::string& what, const std::string& detail);

 private:
  OpenState state_;
  std::filesystem::path module_;
  std::string init_args_;
  std::string label_;
  std::string serial_;
  std::filesystem::path pin_file_;
  std::filesystem::path pin_marker_;
};

}  // namespace estia::admin
