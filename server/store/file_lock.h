// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace estia::store {

/// Holds an exclusive flock for as long as it lives, so that one process at most writes. On a file
/// of its own beside the database: closing any descriptor of the database file itself would drop
/// SQLite's own locks on it.
class FileLock final {
 public:
  /// Creates the file (0600) when needed. Throws Error{store, "store.locked"} when another holds
  /// it, Error{store, "store.io"}.
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  FileLock(FileLock&&) = delete;
  FileLock& operator=(FileLock&&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace estia::store
