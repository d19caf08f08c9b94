// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/error.h"
#include "server/ca/registry.h"
#include "server/store/store.h"
#include "tests/store/shim_vfs.h"
#include "tests/support/fake_clock.h"

namespace estia::store::test {

using estia::test::FakeClock;

/// 20 octets that differ for each number.
[[nodiscard]] Bytes serial_of(std::uint64_t number);
/// A fresh certificate for end entity "device-<number>" of CA "issuing".
[[nodiscard]] ca::Intent intent_of(std::uint64_t number);
[[nodiscard]] ca::AuditEvent event(const char* what, const Bytes& serial = {});
/// What stands for the signed certificate of `serial`.
[[nodiscard]] Bytes certificate_of(const Bytes& serial);

/// The id of the estia::Error that `action` throws; "" when it throws none.
[[nodiscard]] std::string error_id(const std::function<void()>& action);
/// Its text for the peer, which names what the operator must know.
[[nodiscard]] std::string error_text(const std::function<void()>& action);
/// The same for the category.
[[nodiscard]] std::string error_category(const std::function<void()>& action);

/// Runs `work(index)` in `count` threads that start together.
void in_threads(std::size_t count, const std::function<void(std::size_t)>& work);

/// A connection of the test's own, for looking at and tampering with the file of a closed store.
[[nodiscard]] std::int64_t sql_integer(const std::filesystem::path& path, const std::string& sql);
[[nodiscard]] std::string sql_text(const std::filesystem::path& path, const std::string& sql);
void sql_run(const std::filesystem::path& path, const std::string& sql);

/// A store in a folder of its own.
class StoreTest : public ::testing::Test {
 protected:
  StoreTest();
  ~StoreTest() override;
  StoreTest(const StoreTest&) = delete;
  StoreTest& operator=(const StoreTest&) = delete;
  StoreTest(StoreTest&&) = delete;
  StoreTest& operator=(StoreTest&&) = delete;

  [[nodiscard]] std::filesystem::path folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "estia.db"; }
  [[nodiscard]] std::unique_ptr<Store> create(const StoreOptions& options = {});
  [[nodiscard]] std::unique_ptr<Store> open(const StoreOptions& options = {});

  /// Records an intent; the outcome must be Recorded.
  static void intend(Store& store, const ca::Intent& intent);
  static Bytes commit(Store& store, const Bytes& serial);

  FakeClock clock_;
  ShimVfs& vfs_ = ShimVfs::instance();

 private:
  std::filesystem::path folder_;
};

}  // namespace estia::store::test
