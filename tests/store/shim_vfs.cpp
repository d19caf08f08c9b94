// SPDX-License-Identifier: Apache-2.0
#include "tests/store/shim_vfs.h"

#include <sqlite3.h>

#include <fstream>
#include <memory>
#include <new>
#include <utility>

namespace estia::store::test {
namespace {

constexpr std::size_t kSector = 512;

/// What SQLite allocates for us; the real file follows it in memory.
struct ShimFile {
  sqlite3_file base;
  std::string* name;  // null for temporary files
  sqlite3_file* real;
};

ShimFile* shim(sqlite3_file* file) {
  return reinterpret_cast<ShimFile*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
  return shim(file)->real;
}
const std::string& name_of(sqlite3_file* file) {
  return *shim(file)->name;
}

void put_change(std::string& contents, const FileImage::Change& change) {
  if (change.offset < 0) {
    contents.resize(static_cast<std::size_t>(change.size));
    return;
  }
  const auto offset = static_cast<std::size_t>(change.offset);
  if (contents.size() < offset + change.data.size()) {
    contents.resize(offset + change.data.size());
  }
  contents.replace(offset, change.data.size(), change.data);
}

int do_close(sqlite3_file* file) {
  const int rc = real(file)->pMethods->xClose(real(file));
  delete shim(file)->name;
  shim(file)->name = nullptr;
  return rc;
}
int do_read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
  return real(file)->pMethods->xRead(real(file), data, size, offset);
}
int do_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  if (const int fault = ShimVfs::instance().before(ShimVfs::Kind::write); fault != SQLITE_OK) {
    return fault;
  }
  const int rc = real(file)->pMethods->xWrite(real(file), data, size, offset);
  if (rc == SQLITE_OK) {
    ShimVfs::instance().changed(name_of(file), {offset, size,
                                                std::string(static_cast<const char*>(data),
                                                            static_cast<std::size_t>(size))});
  }
  return rc;
}
int do_truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const int fault = ShimVfs::instance().before(ShimVfs::Kind::truncate); fault != SQLITE_OK) {
    return fault;
  }
  const int rc = real(file)->pMethods->xTruncate(real(file), size);
  if (rc == SQLITE_OK) {
    ShimVfs::instance().changed(name_of(file), {-1, size, {}});
  }
  return rc;
}
int do_sync(sqlite3_file* file, int flags) {
  if (const int fault = ShimVfs::instance().before(ShimVfs::Kind::sync); fault != SQLITE_OK) {
    ShimVfs::instance().synced(name_of(file), false);
    return fault;
  }
  const int rc =
      ShimVfs::instance().real_syncs() ? real(file)->pMethods->xSync(real(file), flags) : SQLITE_OK;
  ShimVfs::instance().synced(name_of(file), rc == SQLITE_OK);
  return rc;
}
int do_file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int do_lock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
int do_unlock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
int do_check_reserved(sqlite3_file* file, int* out) {
  return real(file)->pMethods->xCheckReservedLock(real(file), out);
}
int do_control(sqlite3_file* file, int operation, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), operation, argument);
}
int do_sector_size(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
int do_characteristics(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
int do_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}
int do_shm_lock(sqlite3_file* file, int offset, int n, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
void do_shm_barrier(sqlite3_file* file) {
  real(file)->pMethods->xShmBarrier(real(file));
}
int do_shm_unmap(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

sqlite3_io_methods methods_of_version(int version) {
  sqlite3_io_methods methods{};
  methods.iVersion = version;
  methods.xClose = do_close;
  methods.xRead = do_read;
  methods.xWrite = do_write;
  methods.xTruncate = do_truncate;
  methods.xSync = do_sync;
  methods.xFileSize = do_file_size;
  methods.xLock = do_lock;
  methods.xUnlock = do_unlock;
  methods.xCheckReservedLock = do_check_reserved;
  methods.xFileControl = do_control;
  methods.xSectorSize = do_sector_size;
  methods.xDeviceCharacteristics = do_characteristics;
  if (version >= 2) {
    methods.xShmMap = do_shm_map;
    methods.xShmLock = do_shm_lock;
    methods.xShmBarrier = do_shm_barrier;
    methods.xShmUnmap = do_shm_unmap;
  }
  return methods;
}

const sqlite3_io_methods kMethods = methods_of_version(2);
const sqlite3_io_methods kMethodsWithoutSharedMemory = methods_of_version(1);

sqlite3_vfs* underlying(sqlite3_vfs* vfs) {
  return static_cast<sqlite3_vfs*>(vfs->pAppData);
}

int do_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* ours = new (file) ShimFile{};
  ours->real = reinterpret_cast<sqlite3_file*>(ours + 1);
  const int rc = underlying(vfs)->xOpen(underlying(vfs), name, ours->real, flags, out_flags);
  if (rc != SQLITE_OK) {
    ours->base.pMethods = nullptr;
    return rc;
  }
  ours->name = new std::string(name == nullptr ? "" : name);
  ShimVfs& shim_vfs = ShimVfs::instance();
  ours->base.pMethods = shim_vfs.shared_memory() ? &kMethods : &kMethodsWithoutSharedMemory;
  shim_vfs.opened(*ours->name);
  return SQLITE_OK;
}

int do_delete(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  const int rc = underlying(vfs)->xDelete(underlying(vfs), name, sync_folder);
  if (rc == SQLITE_OK) {
    ShimVfs::instance().removed(name);
  }
  return rc;
}

sqlite3_vfs make_vfs() {
  sqlite3_vfs* standard = ::sqlite3_vfs_find(nullptr);
  sqlite3_vfs vfs = *standard;  // everything that is not about files stays as it is
  vfs.zName = "shim";
  vfs.szOsFile = static_cast<int>(sizeof(ShimFile)) + standard->szOsFile;
  vfs.pAppData = standard;
  vfs.xOpen = do_open;
  vfs.xDelete = do_delete;
  return vfs;
}

}  // namespace

void write_after_power_cut(const DiskImage& image, const std::filesystem::path& folder,
                           std::mt19937& random) {
  for (const auto& [name, file] : image) {
    std::string contents = file.durable;
    for (FileImage::Change change : file.pending) {
      const auto luck = random() % 4;
      if (luck < 2) {
        continue;
      }
      if (luck == 2 && change.offset >= 0) {
        const std::size_t sectors = change.data.size() / kSector;
        change.data.resize(kSector * (sectors == 0 ? 0 : random() % sectors));
      }
      put_change(contents, change);
    }
    const auto path = folder / name;
    std::ofstream(path, std::ios::binary) << contents;
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
}

ShimVfs& ShimVfs::instance() {
  static ShimVfs shim_vfs;
  return shim_vfs;
}

ShimVfs::ShimVfs() {
  static sqlite3_vfs vfs = make_vfs();
  ::sqlite3_vfs_register(&vfs, 1);
}

void ShimVfs::reset() {
  const std::lock_guard lock(mutex_);
  syncs_ = 0;
  countdown_ = 0;
  for_good_ = false;
  happened_ = false;
  hold_ = false;
  held_ = false;
  shared_memory_ = true;
  observer_ = nullptr;
  disk_.clear();
}

std::uint64_t ShimVfs::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

void ShimVfs::fail_at(std::uint64_t n, Fault fault, bool for_good) {
  const std::lock_guard lock(mutex_);
  countdown_ = n;
  fault_ = fault;
  for_good_ = for_good;
  happened_ = false;
}

void ShimVfs::fail_after_held_sync() {
  fail_at(2, Fault::io_error, false);
}

bool ShimVfs::fault_happened() const {
  const std::lock_guard lock(mutex_);
  return happened_;
}

void ShimVfs::without_shared_memory(bool on) {
  const std::lock_guard lock(mutex_);
  shared_memory_ = !on;
}

bool ShimVfs::shared_memory() const {
  const std::lock_guard lock(mutex_);
  return shared_memory_;
}

void ShimVfs::only_model_syncs(bool on) {
  const std::lock_guard lock(mutex_);
  real_syncs_ = !on;
}

bool ShimVfs::real_syncs() const {
  const std::lock_guard lock(mutex_);
  return real_syncs_;
}

void ShimVfs::hold_syncs() {
  const std::lock_guard lock(mutex_);
  hold_ = true;
}

void ShimVfs::release_syncs() {
  {
    const std::lock_guard lock(mutex_);
    hold_ = false;
    held_ = false;
  }
  changed_.notify_all();
}

void ShimVfs::await_held_sync() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return held_; });
}

void ShimVfs::observe(std::function<void()> observer) {
  const std::lock_guard lock(mutex_);
  observer_ = std::move(observer);
}

DiskImage ShimVfs::disk(const std::filesystem::path& folder) const {
  const std::lock_guard lock(mutex_);
  DiskImage image;
  for (const auto& [path, file] : disk_) {
    if (std::filesystem::path(path).parent_path() == folder) {
      image.emplace(std::filesystem::path(path).filename(), file);
    }
  }
  return image;
}

int ShimVfs::before(Kind kind) {
  std::unique_lock lock(mutex_);
  if (observer_) {
    const auto observer = observer_;
    lock.unlock();
    observer();
    lock.lock();
  }
  if (kind == Kind::sync) {
    ++syncs_;
    if (hold_) {
      held_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !hold_; });
    }
  }
  const bool counts =
      fault_ == Fault::io_error || kind == (fault_ == Fault::disk_full ? Kind::write : Kind::sync);
  const bool due = countdown_ > 0 && counts && --countdown_ == 0;
  if (!due && !(happened_ && for_good_ && counts)) {
    return SQLITE_OK;
  }
  happened_ = true;
  if (fault_ == Fault::disk_full) {
    return SQLITE_FULL;
  }
  return kind == Kind::sync ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
}

void ShimVfs::opened(const std::string& file) {
  const std::lock_guard lock(mutex_);
  if (!file.empty()) {
    disk_.try_emplace(file);
  }
}

void ShimVfs::changed(const std::string& file, FileImage::Change change) {
  const std::lock_guard lock(mutex_);
  disk_[file].pending.push_back(std::move(change));
}

void ShimVfs::synced(const std::string& file, bool succeeded) {
  const std::lock_guard lock(mutex_);
  FileImage& image = disk_[file];
  if (succeeded) {
    for (const FileImage::Change& change : image.pending) {
      put_change(image.durable, change);
    }
  }
  // After a failed sync the kernel takes the pages for clean: a later one does not write them.
  image.pending.clear();
}

void ShimVfs::removed(const std::string& file) {
  const std::lock_guard lock(mutex_);
  disk_.erase(file);
}

}  // namespace estia::store::test
