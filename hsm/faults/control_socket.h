// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "hsm/faults/injector.h"

namespace estia::hsm::faults {

/// A Unix socket on which lines are answered: one thread accepts, one more serves each connection,
/// so that an order that waits keeps no other from being heard. The threads block every signal and
/// live as long as the process. Only the process's own user and root are served.
class ControlSocket final {
 public:
  /// Answers one line. May block; ought to return soon when `gone`: who asked has hung up.
  using Serve = std::function<std::string(std::string_view line, const Injector::Gone& gone)>;

  /// Makes the file (mode 0600), in place of one that a dead process left. Throws
  /// std::runtime_error with the reason: a directory that others may write to, a path that is too
  /// long or taken.
  ControlSocket(const std::filesystem::path& path, Serve serve);
  ~ControlSocket() = delete;  // its threads never end
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;
  ControlSocket(ControlSocket&&) = delete;
  ControlSocket& operator=(ControlSocket&&) = delete;

  /// In the child after fork(), which has none of the threads: lets go of the socket, so that
  /// whoever connects is not left waiting. Safe in a signal handler.
  void leave_in_child() noexcept;

 private:
  void accept_all();
  void serve_one(int connection);

  Serve serve_;
  std::atomic<int> listener_;
  std::atomic<int> connections_{0};
};

}  // namespace estia::hsm::faults
