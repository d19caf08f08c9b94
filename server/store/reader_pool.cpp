// SPDX-License-Identifier: Apache-2.0
#include "server/store/reader_pool.h"

#include <algorithm>

#include "server/store/opening.h"

namespace estia::store {

ReaderPool::ReaderPool(const std::filesystem::path& path, std::size_t size) {
  const std::size_t count = std::max<std::size_t>(size, 1);
  free_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    free_.push_back(open_reader(path));
  }
}

ReaderPool::~ReaderPool() = default;

std::unique_ptr<Database> ReaderPool::take() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return !free_.empty(); });
  std::unique_ptr<Database> database = std::move(free_.back());
  free_.pop_back();
  return database;
}

void ReaderPool::give_back(std::unique_ptr<Database> database) noexcept {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(database));
  }
  returned_.notify_one();
}

}  // namespace estia::store
