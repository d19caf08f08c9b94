// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "admin/cli/backend.h"

namespace estia::admin {

/// Which CA a command is for: --state names its directory, --socket the management socket of its
/// running estiad where that is not DIR/management/socket.
class Target final {
 public:
  /// One of both options is needed; the help says what --state can do without a running estiad.
  void add_to(CLI::App& command, bool works_offline);

  /// The running estiad's socket. Throws CLI::RequiredError without any option, Error{conflict,
  /// "cli.not_running"}, "cli.unreachable".
  [[nodiscard]] std::filesystem::path running() const;
  /// The state directory of an estiad that does not answer; nullopt if it does, or where only
  /// --socket was given. Throws as running(), but for "cli.not_running".
  [[nodiscard]] std::optional<std::filesystem::path> stopped() const;
  /// The running estiad, or the state directory if none runs and --state was given.
  [[nodiscard]] std::unique_ptr<Backend> backend(const OpenOffline& offline) const;

 private:
  [[nodiscard]] std::filesystem::path socket() const;

  std::filesystem::path state_{};
  std::filesystem::path socket_{};
};

}  // namespace estia::admin
