// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace estia::http {

/// A listening Unix socket's name in the file system: 0660, in a directory of mode 0750 or less.
/// Gone when this object goes.
class UnixSocketFile final {
 public:
  /// Makes the directory if there is none, and binds. A socket that nobody answers on is replaced;
  /// anything else in its place stays, and so does one of which that is not certain. Throws
  /// Error{config, "http.socket_path" | "http.socket_directory" | "http.socket_in_use" |
  /// "http.socket_unknown"}.
  explicit UnixSocketFile(std::filesystem::path path);
  ~UnixSocketFile();
  UnixSocketFile(const UnixSocketFile&) = delete;
  UnixSocketFile& operator=(const UnixSocketFile&) = delete;
  UnixSocketFile(UnixSocketFile&&) = delete;
  UnixSocketFile& operator=(UnixSocketFile&&) = delete;

  /// The bound socket, non-blocking, not listening yet; the caller closes it. Once.
  [[nodiscard]] int take_descriptor() noexcept;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// What sockaddr_un holds, without the NUL at its end.
inline constexpr std::size_t kLongestSocketPath = 107;

}  // namespace estia::http
