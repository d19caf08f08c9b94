// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace estia::store::test {

/// What a power cut would leave of one file: what was synced, and writes of which any part may have
/// reached the disk.
struct FileImage {
  struct Change {
    std::int64_t offset;  ///< -1: truncation to `size`
    std::int64_t size;
    std::string data;
  };
  std::string durable;
  std::vector<Change> pending;
};
using DiskImage = std::map<std::string, FileImage>;  // by file name

/// Writes the files as a power cut might leave them: of the pending writes any subset, each whole
/// or torn at a sector.
void write_after_power_cut(const DiskImage& image, const std::filesystem::path& folder,
                           std::mt19937& random);

/// A VFS in front of SQLite's own and the default one in this process: counts, delays and fails
/// writes, syncs and truncations, and keeps what a power cut would leave. Any thread.
class ShimVfs final {
 public:
  enum class Fault {
    io_error,   ///< the n-th write, sync or truncation
    disk_full,  ///< the n-th write
    sync_error  ///< the n-th sync
  };

  /// Registers itself on the first call.
  static ShimVfs& instance();

  /// No faults, no delays, counters at zero, no memory of files. Leaves only_model_syncs() as it
  /// is.
  void reset();

  [[nodiscard]] std::uint64_t syncs() const;
  /// The n-th matching operation from now fails; and every later one, if `for_good`.
  void fail_at(std::uint64_t n, Fault fault, bool for_good);
  [[nodiscard]] bool fault_happened() const;
  /// The first operation after the sync that is held fails.
  void fail_after_held_sync();
  /// Syncs only count as far as disk() knows: where the model, not the disk, is looked at.
  void only_model_syncs(bool on);
  /// Files look as if the file system had no shared memory, which WAL needs.
  void without_shared_memory(bool on);

  /// Syncs wait until release_syncs().
  void hold_syncs();
  void release_syncs();
  /// Returns when a sync waits.
  void await_held_sync();

  /// Called before each write, sync and truncation, in the thread that does it.
  void observe(std::function<void()> observer);
  /// What a power cut would leave now of the files in `folder` that were opened since reset().
  [[nodiscard]] DiskImage disk(const std::filesystem::path& folder) const;

  // For the file methods.
  enum class Kind { write, sync, truncate };
  /// Not 0: fail with this code instead of doing it.
  [[nodiscard]] int before(Kind kind);
  void opened(const std::string& file);
  void changed(const std::string& file, FileImage::Change change);
  void synced(const std::string& file, bool succeeded);
  void removed(const std::string& file);
  [[nodiscard]] bool shared_memory() const;
  [[nodiscard]] bool real_syncs() const;

 private:
  ShimVfs();

  mutable std::mutex mutex_;  // guards everything below
  std::condition_variable changed_;
  std::uint64_t syncs_ = 0;
  std::uint64_t countdown_ = 0;
  Fault fault_ = Fault::io_error;
  bool for_good_ = false;
  bool happened_ = false;
  bool hold_ = false;
  bool held_ = false;
  bool shared_memory_ = true;
  bool real_syncs_ = true;
  std::function<void()> observer_;
  DiskImage disk_;  // by whole path
};

}  // namespace estia::store::test
