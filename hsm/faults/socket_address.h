// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace estia::hsm::faults {

/// Throws std::runtime_error for a path that no socket can have.
[[nodiscard]] inline sockaddr_un socket_address(const std::filesystem::path& path) {
  const std::string& text = path.native();
  sockaddr_un address{};
  if (text.empty() || text.size() >= sizeof address.sun_path) {
    throw std::runtime_error("the path of a socket has at most " +
                             std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  address.sun_family = AF_UNIX;
  text.copy(address.sun_path, text.size());
  return address;
}

}  // namespace estia::hsm::faults
