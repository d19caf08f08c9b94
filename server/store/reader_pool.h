// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "server/store/database.h"

namespace estia::store {

/// Connections that only read committed rows. A caller waits while all are in use; each read is
/// one short statement, so the wait is short too. Any thread.
class ReaderPool final {
 public:
  ReaderPool(const std::filesystem::path& path, std::size_t size);
  ~ReaderPool();
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;
  ReaderPool(ReaderPool&&) = delete;
  ReaderPool& operator=(ReaderPool&&) = delete;

  /// Runs `work(Database&)` on a free connection.
  template <class Work>
  auto read(Work&& work) {
    Lease lease(*this);
    return std::forward<Work>(work)(lease.database());
  }

 private:
  class Lease final {
   public:
    explicit Lease(ReaderPool& pool) : pool_(pool), database_(pool.take()) {}
    ~Lease() { pool_.give_back(std::move(database_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Lease(Lease&&) = delete;
    Lease& operator=(Lease&&) = delete;
    [[nodiscard]] Database& database() noexcept { return *database_; }

   private:
    ReaderPool& pool_;
    std::unique_ptr<Database> database_;
  };

  [[nodiscard]] std::unique_ptr<Database> take();
  void give_back(std::unique_ptr<Database> database) noexcept;

  std::mutex mutex_;  // guards free_
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Database>> free_;  // never grows beyond the size it was made with
};

}  // namespace estia::store
